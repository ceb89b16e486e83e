"""Whether a file is findings that an earlier check has written: only such a file is replaced by new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sessionize.patterns import pattern

ENDS: Final = 4096
"""Bytes that are looked at, at each end of a file."""
SUMMARY: Final = rb"\d+ (?:failed|warned|passed|not measured)(?:, \d+ (?:failed|warned|passed|not measured))*\n"
BEGINNINGS: Final = pattern(
    rb'\{\n  "schema_version": \d+,\n  "passed": (?:true|false),\n  "inputs": \['  # json
    rb'|<\?xml [^>]*\?>\n<testsuites name="sessionize check" '  # junit
    rb'|\{\n  "\$schema": "https://json\.schemastore\.org/sarif-2\.1\.0\.json",[^{]*\{\s*"tool": \{\s*"driver": \{\s*'
    rb'"name": "sessionize"'  # sarif
    rb"|::(?:error|warning) title=sessionize check%3A "  # github
    rb'|\[\]\n\Z|\[\n  \{\n    "description": "[^\n]*,\n    "check_name": "[^\n]*,\n    "fingerprint": '  # gitlab
    rb"|### sessionize check: "  # markdown
    rb"|\Z",  # nothing was found, or `mktemp` made it
)
PLAIN_END: Final = pattern(rb"(?:\A|\n)" + SUMMARY + rb"\Z")
"""Of the formats for people."""
PLAIN_LINE: Final = pattern(
    rb"(?:config  .*\n)?rules  \S|(?:pass|warn|FAIL|  --)  \S|.*: (?:warn|fail) \S+: |" + SUMMARY
)


def is_findings(path: Path) -> bool:
    """Whether a file's two ends are those of findings, in any of the formats.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(ENDS)
        file.seek(max(0, path.stat().st_size - ENDS))
        end = file.read(ENDS)
    return BEGINNINGS.match(start) is not None or (
        PLAIN_LINE.match(start) is not None and PLAIN_END.search(end) is not None
    )
