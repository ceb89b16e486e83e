"""What must come of each line of a CSV, letter by letter: shares no code with the package."""

from __future__ import annotations

Row = tuple[int, str | None, tuple[str | None, ...]]
"""Line number, what is wrong with it, its fields."""


def letters(line: str) -> list[str]:
    """Its letters; a quote or a backslash that stands behind a backslash is one with it, and text."""
    found: list[str] = []
    for letter in line:
        if found and found[-1] == "\\" and letter in '\\"':
            found[-1] += letter
        else:
            found.append(letter)
    return found


def fields(line: str | list[str], delimiter: str) -> list[str] | None:
    """The line's fields, letter by letter; None where a quoted one is not closed before a delimiter or the end."""
    found, at = [], 0
    while True:
        field = ""
        if line[at : at + 1] in ('"', ['"']):
            at += 1
            while line[at : at + 1] not in ('"', ['"']) or line[at + 1 : at + 2] in ('"', ['"']):
                if at >= len(line):
                    return None
                at += 1 if line[at] != '"' else 2
                field += line[at - 1][-1]
            at += 1
            if at < len(line) and line[at] != delimiter:
                return None
        else:
            while at < len(line) and line[at] != delimiter:
                field += line[at][-1]
                at += 1
        found.append(field)
        if at >= len(line):
            return found
        at += 1


def expected(content: bytes, delimiter: str, width: int) -> list[Row]:
    """What must come of the lines below a header, one by one."""
    rows: list[Row] = []
    for number, raw in enumerate(content.split(b"\n")[1:], 2):
        line = raw.removesuffix(b"\r")
        if line:
            rows.append((number, *judged(line, delimiter, width)))
    return rows


def judged(line: bytes, delimiter: str, width: int) -> tuple[str | None, tuple[str | None, ...]]:
    nothing = (None,) * width
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "bad_encoding", nothing
    if "\0" in text:
        return "bad_encoding", nothing
    if "\r" in text:
        return "malformed_row", nothing
    for read in (text, letters(text)):
        found = fields(read, delimiter)
        if found is not None and len(found) >= width and not any(found[width:]):
            return None, tuple(field or None for field in found[:width])
    return "malformed_row", nothing
