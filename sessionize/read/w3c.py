"""W3C extended logs that no preset was found for: what reads such a log, by its fields and by what stands between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from sessionize.errors import UsageError

FIELDS: Final = b"#fields:"
TIME: Final = {"date", "time"}
OWN: Final = {"c-ip", "cs-uri-stem"}
"""Fields of which the presets need one."""
PAGES: Final = ("cs-uri-stem", "cs-uri")
BETWEEN: Final = ("\t", " ", ",", ";", "|")


def check_none(lines: Sequence[bytes], path: str) -> None:
    """Refuse first lines that are a W3C extended log's, which are no CSV's.

    Raises:
        UsageError: With what reads such a log.
    """
    remarks = takewhile(lambda line: line.startswith(b"#"), lines)
    named = next((line for line in remarks if line.lower().startswith(FIELDS)), None)
    if named is None:
        return
    names = [name for name in re.split(r"[\s,;|]+", named[len(FIELDS) :].decode("utf-8", "replace")) if name]
    row = next((line.decode("utf-8", "replace") for line in lines if not line.startswith(b"#")), "")
    raise UsageError(
        f"{path}: a W3C extended log, no CSV: its fields are {', '.join(names)[:200]}",
        hint=f"{_options(names, row)} reads its fields",
    )


def _options(names: Sequence[str], row: str) -> str:
    r"""What to type for a log with these fields and this first row.

    Examples:
        >>> _options(["date", "time", "c-ip", "cs-uri-stem"], "2024-05-30\t10:00:00\t192.0.2.1\t/a")
        '--preset cloudfront'
        >>> _options(["date", "time", "c-ip", "cs-uri"], "2024-05-30 10:00:00 192.0.2.1 /a")
        '--preset iis'
        >>> _options(["epoch", "c-ip", "cs-uri"], "1717063200,192.0.2.1,/a")
        "--comment '#' --delimiter ',' --columns 'epoch,c-ip,cs-uri' --page cs-uri"
    """
    there = {name.lower() for name in names}
    between = next((each for each in BETWEEN if len(row.split(each)) == len(names)), " ")
    if there >= TIME and there & OWN and between in "\t ":
        return "--preset cloudfront" if between == "\t" and PAGES[0] in there else "--preset iis"
    page = next((f" --page {name}" for name in names if name.lower() in PAGES), "")
    sign = "\\t" if between == "\t" else between
    columns = ",".join(names).replace("'", "")
    return f"--comment '#' --delimiter '{sign}' --columns '{columns}'{page}"
