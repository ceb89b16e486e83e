"""Where a path that was typed leads: to a file of this machine, or to a store that is not read or written.

The one place that knows schemes: every input, output and state passes through it.
"""

from __future__ import annotations

import re
import shlex
from typing import Final
from urllib.parse import unquote

from sessionize.errors import UsageError

SCHEME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):(//?)")
STORES: Final = {
    "s3": "aws s3 cp {uri} .", "gs": "gcloud storage cp -r {uri} .", "hdfs": "hdfs dfs -get {uri} .",
    "abfss": "azcopy copies from Azure",
}  # fmt: skip
"""Stores, and the command that copies from each."""
SPELLINGS: Final = {
    "s3a": "s3",
    "s3n": "s3",
    "gcs": "gs",
    "abfs": "abfss",
    "az": "abfss",
    "wasb": "abfss",
    "wasbs": "abfss",
}
WEB: Final = ("http", "https", "ftp", "ftps")
ALONE: Final = (*STORES, *SPELLINGS, *WEB, "file", "dbfs", "adl", "oci", "r2")
"""Schemes that are meant even with one slash; of any other, that is the name of a folder."""


def local_path(text: str, what: str, *, is_input: bool = False) -> str:
    """A path of this machine.

    Args:
        text: What was typed: a path, or a ``file://`` URI.
        what: What it was typed for, as a message names it: ``INPUT``, ``--state``.
        is_input: Whether it is read: a message then says how to fetch it, else how to send what was written.

    Raises:
        UsageError: If it is empty, or a URI of any other scheme.

    Examples:
        >>> local_path("file:///tmp/a%20log.csv", "INPUT"), local_path("logs/*.csv", "INPUT")
        ('/tmp/a log.csv', 'logs/*.csv')
    """
    if not text:
        raise UsageError(f"{what} is empty", hint="is a variable not set? name a path, for the current folder: .")
    found = SCHEME.match(text)
    if found is None or (len(found[2]) == 1 and found[1].lower() not in ALONE):
        return text
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme != "file":
        raise UsageError(
            f"{what} {text}: {scheme}:// is not read or written", hint=_instead(text.strip(), scheme, is_input=is_input)
        )
    host, slash, path = rest.partition("/") if len(found[2]) > 1 else ("", "/", rest)
    if host not in ("", "localhost") or not slash:
        raise UsageError(f"{what} {text}: a file of another machine", hint="file:///PATH, with three slashes")
    return unquote(f"/{path}", errors="surrogateescape")


def _instead(uri: str, scheme: str, *, is_input: bool) -> str:
    """What to type instead."""
    store = SPELLINGS.get(scheme, scheme)
    if scheme in WEB and is_input:
        return f"curl -fsSL {shlex.quote(uri)} | sessionize run - -o DIR"
    if store in STORES and is_input:
        return f"copy it here first: {STORES[store].format(uri=shlex.quote(f'{store}{uri[len(scheme) :]}'))}"
    if is_input:
        return "copy it here first, and name the copy"
    return f"write to a folder of this machine and copy that there; a folder of such a name is ./{uri}"
