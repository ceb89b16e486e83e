"""How findings are told: pure functions from what was checked to text, in a table.

Every text from the data has been through `sanitize` before it comes here, and goes through it once more: a format must
hold whatever a file is named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sessionize.checks.findings import Checked
from sessionize.checks.formats.annotations import github, gitlab
from sessionize.checks.formats.junit import junit
from sessionize.checks.formats.plain import concise, full, markdown
from sessionize.checks.formats.records import as_json
from sessionize.checks.formats.sarif import sarif

Format = Callable[[Checked], str]

FORMATS: Final[dict[str, Format]] = {
    "full": full,
    "concise": concise,
    "json": as_json,
    "junit": junit,
    "sarif": sarif,
    "github": github,
    "gitlab": gitlab,
    "markdown": markdown,
}
"""Each ends in a line break, or is empty."""

__all__ = ["FORMATS", "Format"]
