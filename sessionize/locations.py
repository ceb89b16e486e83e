"""Where a path that was typed leads: to a file of this machine, to an object store, or to what is not read or written.

The one place that knows schemes: every input, output and state passes through it.
"""

from __future__ import annotations

import re
import shlex
from typing import Final
from urllib.parse import unquote

from sessionize.errors import UsageError
from sessionize.patterns import pattern

SCHEME: Final = pattern(r"\s*([A-Za-z][A-Za-z0-9+.-]*):(//?)")
STORES: Final = {"s3": "aws s3 cp {uri} .", "gs": "gcloud storage cp {uri} .", "abfss": "azcopy copy {uri} ."}
"""Stores that are read and written, and the command that copies from each."""
SYNC: Final = {
    "s3": "aws s3 sync {here} {there}",
    "gs": "gcloud storage rsync -r {here} {there}",
    "abfss": "azcopy sync {here} {there}",
}
"""The command that makes a folder of a store as one of this machine is, or the other way round."""
SPELLINGS: Final = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "abfs": "abfss"}
"""Other systems' names for what is one of these, with the rest of the URI as it is."""
AZURE: Final = "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"
ELSEWHERE: Final = {
    "hdfs": "copy it here first: hdfs dfs -get {uri} .",
    "hf": "copy it here first: hf download --repo-type dataset OWNER/NAME FILE --local-dir .",
    "az": f"an object of Azure is {AZURE}",
    "wasb": f"an object of Azure is {AZURE}",
    "wasbs": f"an object of Azure is {AZURE}",
    "adl": f"an object of Azure is {AZURE}",
    "r2": "as s3://BUCKET/PATH, with AWS_ENDPOINT_URL=https://ACCOUNT.r2.cloudflarestorage.com",
    "dbfs": "a path below /dbfs is one of this machine",
}
"""What to type for a scheme that is not read."""
HERE: Final = "copy it here first, and name the copy"
WEB: Final = ("http", "https", "ftp", "ftps")
ALONE: Final = (*STORES, *SPELLINGS, *ELSEWHERE, *WEB, "file", "oci")
"""Schemes that are meant even with one slash; of any other, that is the name of a folder."""
BUCKET: Final = {
    "s3": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*"),
    "gs": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*"),
    "abfss": re.compile(r"[a-z0-9$][a-z0-9-]*@[a-z0-9]+\.dfs\.[a-z0-9.-]+"),
}
"""Names that a bucket, or a container of an account, may have."""
FORMS: Final = {"s3": "s3://BUCKET/PATH", "gs": "gs://BUCKET/PATH", "abfss": AZURE}
QUERY: Final = pattern(r"\?[\w.-]+=.*", re.DOTALL)
"""What is behind an address that was signed; a ``?`` of a glob is not followed by this."""
SECRET: Final = pattern(r"(?i)([?&][^=&]*(?:sig|key|token|secret|password|credential|auth)[^=&]*=)[^&]*")


WHO: Final = (
    "the environment says who asks, as AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS or AZURE_STORAGE_KEY do"
)


def location(text: str, what: str, *, is_input: bool = False) -> str:
    """A path of this machine, or the URI of an object store.

    Args:
        text: What was typed: a path, a ``file://`` URI, or one of a store.
        what: What it was typed for, as a message names it: ``INPUT``, ``--output``.
        is_input: Whether it is read: a message then says how to fetch it, else how to send what was written.

    Raises:
        UsageError: If it is empty, the URI of anything else, or holds a secret.

    Examples:
        >>> location("s3://logs/day=1/*.csv", "INPUT", is_input=True), location("file:///tmp/a%20log.csv", "INPUT")
        ('s3://logs/day=1/*.csv', '/tmp/a log.csv')
    """
    found = SCHEME.match(text)
    scheme = "" if found is None else found[1].lower()
    if found is None or scheme not in STORES:
        return local_path(text, what, is_input=is_input)
    uri = text[found.end() :].rstrip() if is_input else text[found.end() :].strip()
    host, _, key = uri.partition("/")
    shown = shown_uri(text.strip())
    if QUERY.search(key):
        raise UsageError(f"{what} {shown}: a signed address is not read or written", hint=f"{FORMS[scheme]}; {WHO}")
    if scheme != "abfss" and "@" in host:
        raise UsageError(f"{what} {shown}: a URI holds no password", hint=f"{FORMS[scheme]}; {WHO}")
    if len(found[2]) == 1 or not BUCKET[scheme].fullmatch(host):
        raise UsageError(f"{what} {shown}: no name of a bucket", hint=f"for example {FORMS[scheme]}")
    return f"{scheme}://{host}/{key}"


def is_store(text: str) -> bool:
    """Whether a location is a URI of a store."""
    found = SCHEME.match(text)
    return found is not None and found[1] in STORES and found[2] == "//"


def sent(uri: str) -> str:
    """How to send what was written into a folder of this machine to a store's."""
    scheme = uri.partition(":")[0]
    return f"-o DIR, and then {SYNC[scheme].format(here='DIR', there=shlex.quote(uri))}"


def shown_uri(text: str) -> str:
    """A URI as it may be shown: without a password, and without what is secret in its query.

    Examples:
        >>> shown_uri("https://ann:pw@a.org/x.csv?day=1&X-Amz-Signature=ab12")
        'https://…@a.org/x.csv?day=1&X-Amz-Signature=…'
    """
    text = re.sub(r"(://)[^/@]*:[^/@]*(?:/[^/@]*)?@", r"\1…@", text)
    return SECRET.sub(r"\1…", text)


STATE: Final = "state"
"""What `local_path` is asked for where a state is but looked at."""


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
            f"{what} {shown_uri(text)}: {scheme}:// is not read or written",
            hint=_instead(text.strip(), scheme, what, is_input=is_input),
        )
    host, slash, path = rest.partition("/") if len(found[2]) > 1 else ("", "/", rest)
    if host not in ("", "localhost") or not slash:
        raise UsageError(f"{what} {text}: a file of another machine", hint="file:///PATH, with three slashes")
    return unquote(f"/{path}", errors="surrogateescape")


def _instead(uri: str, scheme: str, what: str, *, is_input: bool) -> str:
    """What to type instead."""
    known = SPELLINGS.get(scheme, scheme)
    plain = shown_uri(uri)
    quoted = shlex.quote(uri) if plain == uri else "URL"  # a secret is not told again
    if what == STATE or (what == "--state" and known in STORES):
        return _of_state(known, shlex.quote(f"{known}{plain[len(scheme) :]}"), what)
    if known in STORES and scheme != known:
        return f"type {shlex.quote(f'{known}{plain[len(scheme) :]}')}"
    if scheme in ELSEWHERE and (is_input or "{uri}" not in ELSEWHERE[scheme]):
        return ELSEWHERE[scheme].format(uri=quoted)
    if not is_input:
        return f"write to a folder of this machine and copy that there; a folder of such a name is ./{plain}"
    if scheme in WEB:
        return f"curl -fsSL {quoted} | sessionize run - -o DIR"
    return f"copy it here first: {STORES[known].format(uri=quoted)}" if known in STORES else HERE


def _of_state(known: str, there: str, what: str) -> str:
    """What to do where a state, which is to be used or but looked at, lies elsewhere."""
    here = "a state is a folder of this machine"
    if known not in STORES:
        return f"{here}; copy it here: sessionize state STATE"
    copied = f"{here}: {SYNC[known].format(here=there, there='STATE')}"
    if what == STATE:
        return f"{copied}, and then sessionize state STATE"
    return f"{copied} before a night, {SYNC[known].format(here='STATE', there=there)} after it"
