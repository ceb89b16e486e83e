"""What is typed to convert a file before it is read: a compressed one is unpacked in front of the tool, which takes text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.read.source import Source

UNPACKS: Final = {"gz": "zcat", "zst": "zstdcat"}
TAR_OF_STDIN: Final = {"gz": "tar -xzOf", "zst": "tar --zstd -xOf"}
"""A tar that cannot go back in what it reads does not find out for itself how it is compressed."""
FROM_FILES: Final = {"7z x": "7z", "unrar p": "rar", "sqlite3": "db"}
"""Tools that read files only, and how these are called."""
CONVERTS: Final = pattern(r"\b((?:jq|iconv|sed|tr|tail)(?: (?!FILE\b)(?:'[^']*'|[^\s'|<]+))+)(?: <)? FILE\b")
"""A tool, what it is told, and the file that it reads."""


def typed(hint: str, path: str, packed: str | None) -> str:
    r"""A hint in which FILE stands for a file, as it is typed.

    Args:
        hint: What to type.
        path: The file's path.
        packed: ``gz`` or ``zst``; None where it is not compressed.

    Examples:
        >>> typed("convert it: iconv -f LATIN1 -t UTF-8 FILE", "a b.csv", None)
        "convert it: iconv -f LATIN1 -t UTF-8 'a b.csv'"
        >>> typed("jq -c '.a | .b' FILE | sessionize run - …", "a.json.gz", "gz")
        "zcat a.json.gz | jq -c '.a | .b' | sessionize run - …"
        >>> typed("convert it: tr '\\r' '\\n' < FILE", "a.csv.zst", "zst")
        "convert it: zstdcat a.csv.zst | tr '\\r' '\\n'"
        >>> typed("convert it: tr '\\r' '\\n' < FILE", "-", None)
        "convert it: tr '\\r' '\\n'"
        >>> typed("unzip -p FILE | sessionize run - …", "-", None), typed("tar -xOf FILE | sessionize run - …", "-", "gz")
        ('funzip | sessionize run - …', 'tar -xzOf - | sessionize run - …')
    """
    if path == "-":
        hint = _of_stdin(hint if packed else hint.replace(" < FILE", ""), packed or "")
    unpacks = UNPACKS.get(packed or "")
    piped = hint if unpacks is None else CONVERTS.sub(lambda found: f"{unpacks} FILE | {found[1]}", hint)
    return piped.replace("FILE", shlex.quote(path))


def _of_stdin(hint: str, packed: str) -> str:
    """The same where tools are told in another way, or not at all, to read what is piped in."""
    if (tool := next((each for each in FROM_FILES if each in hint), None)) is not None:
        return f"write it to a file first; then {hint.replace('FILE', f'A.{FROM_FILES[tool]}')}"
    return hint.replace("unzip -p FILE", "funzip").replace("tar -xOf", TAR_OF_STDIN.get(packed, "tar -xOf"))


@contextmanager
def unpacked_first(sources: Sequence[Source]) -> Iterator[None]:
    """What goes on inside knows no file: where the log is one compressed file, its hints are said of that one."""
    try:
        yield
    except UsageError as error:
        if len(sources) == 1 and sources[0].packed and error.hint and CONVERTS.search(error.hint):
            error.hint = typed(error.hint, sources[0].file.path, sources[0].packed)
        raise
