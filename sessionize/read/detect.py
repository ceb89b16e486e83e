"""What a file is: by its first bytes, else by its name; what is not read is named, with the command that converts it."""

from __future__ import annotations

from typing import Final

from sessionize.config import InputFormat
from sessionize.errors import InputError
from sessionize.patterns import pattern
from sessionize.read.formats import ENDINGS, MARKS
from sessionize.read.piped import typed
from sessionize.read.rotated import ending

CHECKSUMS: Final = (".crc", ".md5", ".sha1", ".sha256", ".sha512", ".asc", ".sig")
PIPE: Final = "| sessionize run - …"
FOREIGN: Final = (
    (0, b"PK\x03\x04", "a zip archive (or a spreadsheet)", f"unzip -p FILE {PIPE}, or save the sheet as CSV"),
    (4, b"1AY&SY", "compressed with bzip2", f"bzcat FILE {PIPE}"),
    (0, b"\xfd7zXZ", "compressed with xz", f"xzcat FILE {PIPE}"),
    (0, b"]\x00\x00", "compressed with lzma", f"xzcat --format=lzma FILE {PIPE}"),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4", f"lz4cat FILE {PIPE}"),
    (0, b"\x1f\x9d", "compressed with compress", f"zcat FILE {PIPE}"),
    (0, b"\xff\x06\x00\x00sNaPpY", "compressed with snappy", f"snzip -dc FILE {PIPE}"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", f"7z x -so FILE {PIPE}"),
    (0, b"Rar!\x1a", "a RAR archive", f"unrar p -inul FILE {PIPE}"),
    (257, b"ustar\0", "a tar archive", f"tar -xOf FILE {PIPE}"),
    (257, b"ustar ", "a tar archive", f"tar -xOf FILE {PIPE}"),
    (0, b"\xff\xfe\x00\x00", "UTF-32 text", f"iconv -f UTF-32 -t UTF-8 FILE {PIPE}"),
    (0, b"\x00\x00\xfe\xff", "UTF-32 text", f"iconv -f UTF-32 -t UTF-8 FILE {PIPE}"),
    (0, b"\xff\xfe", "UTF-16 text", f"iconv -f UTF-16 -t UTF-8 FILE {PIPE}"),
    (0, b"\xfe\xff", "UTF-16 text", f"iconv -f UTF-16 -t UTF-8 FILE {PIPE}"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document", "save the sheet as CSV"),
    (0, b"ORC\n", "an ORC file", "convert it to Parquet"),
    (0, b"Obj\x01", "an Avro file", "convert it to Parquet"),
    (0, b"ARROW1\0\0", "an Arrow file", "convert it to Parquet"),
    (0, b"%PDF", "a PDF", "export the log as CSV"),
    (0, b"\x1e{", "a JSON text sequence (RFC 7464)", f"tr -d '\\036' < FILE {PIPE}"),
    (0, b"SQLite format 3", "an SQLite database", "export the table: sqlite3 -header -csv FILE 'SELECT * FROM events'"),
)
"""Where a mark stands, the mark, what has it, what to do."""
BLANK: Final = b"\xef\xbb\xbf \t\r\n"
MARKUP: Final = pattern(rb"(?i)<(!doctype|html|\?xml)")
EMPTY_ARRAYS: Final = pattern(rb"(?:\[[ \t]*\][ \t]*\r?\n\s*)+")
"""Lines of an export that found nothing, before those of one that did."""
NO_OBJECTS: Final = pattern(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*\]\s*)+")
"""A whole file of an export that found nothing."""
OBJECT: Final = pattern(rb'(?:,\s*)?\{\s*(?:"|\})')
"""An object; a later part of a split array begins with the comma before it."""
OBJECT_OVER_LINES: Final = pattern(rb"\{[ \t]*\r?\n")
ARRAY: Final = pattern(rb"\[\s*(?:\{|\]\s*\Z)")
FIELDS: Final = pattern(rb"[,;\t|]")
ARRAY_OF_LINES: Final = pattern(rb"\[\s*\{[^\n]*\}[ \t]*,?[ \t]*\r?\n")
"""An array with an object a line: the first one ends on its line, and the array does not."""


def recognised(head: bytes, path: str, given: InputFormat | None, packed: str | None = None) -> InputFormat:
    """What a file is.

    Args:
        head: First bytes of the file, unpacked.
        path: For its ending, and to name it.
        given: The format that was asked for; beats the name, but not what the bytes rule out.
        packed: How the file is compressed.

    Raises:
        InputError: If it is of a kind that is not read.
    """
    for name, mark in MARKS.items():
        if head.startswith(mark) and given in (None, name):
            return name
    _check_foreign(head, path, packed)
    named = given or ENDINGS.get(ending(path))
    if named is not None and named in MARKS:
        is_text = given is None and b"\0" not in head and _has_fields(head)
        more = "--input-format csv reads it as the text that it looks like; " if is_text else ""
        raise InputError(
            f"{path}: not a {named.capitalize()} file, whatever its name says",
            hint=f"{more}was it cut short? fetch it again",
        )
    found = given or _text_kind(head, path)
    start = _start(head)
    if found == "ndjson" or ARRAY.match(start):
        _check_one_a_line(start, path, found, packed)
    return found


def _start(head: bytes) -> bytes:
    """Where the text begins that tells what a file is; all of it, where no more than an empty array is there."""
    start = head.lstrip(BLANK)
    empty = EMPTY_ARRAYS.match(start)
    return start[empty.end() :] or start if empty else start


def _text_kind(head: bytes, path: str) -> InputFormat:
    start = _start(head)
    if MARKUP.match(start):
        raise _not_read(path, "a page of HTML or XML", "was it fetched without logging in? export the log as CSV")
    if OBJECT.match(start) or ARRAY_OF_LINES.match(start):
        return "ndjson"
    by_name = ENDINGS.get(ending(path))
    if head and not head.strip(b"\0"):
        raise InputError(f"{path}: nothing but NUL bytes: damaged", hint="fetch the file again")
    if by_name is None and b"\0" in head:
        raise InputError(f"{path}: binary, and of no kind that is known", hint="CSV, NDJSON and Parquet are read")
    return by_name if by_name is not None and not (by_name == "ndjson" and _has_fields(start)) else "csv"


def _has_fields(start: bytes) -> bool:
    """Whether a text, whatever its name says, has fields in its first line, and no line that begins as JSON."""
    lines = start.splitlines()
    return (
        bool(lines)
        and FIELDS.search(lines[0]) is not None
        and not any(line.lstrip()[:1] in (b"{", b"[") for line in lines)
    )


def _check_foreign(head: bytes, path: str, packed: str | None) -> None:
    for at, mark, what, cure in FOREIGN:
        if head.startswith(mark, at):
            raise _not_read(path, what, cure, packed)
    if path.lower().endswith(".br"):
        raise _not_read(path, "compressed with Brotli", f"brotli -dc FILE {PIPE}")
    for order, high, low in (("LE", head[1:512:2], head[0:512:2]), ("BE", head[0:512:2], head[1:512:2])):
        if len(low) > 3 and high.count(0) > 0.6 * len(high) and low.count(0) < 0.1 * len(low):
            raise _not_read(path, "UTF-16 text", f"iconv -f UTF-16{order} -t UTF-8 FILE {PIPE}", packed)


def _check_one_a_line(start: bytes, path: str, kind: InputFormat, packed: str | None) -> None:
    if ARRAY.match(start) and not ARRAY_OF_LINES.match(start):
        raise _not_read(path, "one JSON array", f"an object a line is read: jq -c '.[]' FILE {PIPE}", packed)
    if kind == "ndjson" and OBJECT_OVER_LINES.match(start):
        raise _not_read(path, "JSON over several lines", f"an object a line is read: jq -c . FILE {PIPE}", packed)


def _not_read(path: str, what: str, cure: str, packed: str | None = None) -> InputError:
    return InputError(f"{path}: this is {what}, which is not read", hint=typed(cure, path, packed))
