"""Connections to object stores, with credentials and endpoints of the environment; and what a store says, in plain words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sessionize.errors import InputError
from sessionize.patterns import pattern

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

NEWER: Final = 20
"""Version of pyarrow from which on an object of S3 is begun with its first bytes, and Azure takes a token."""
ATTEMPTS: Final = 4
"""How often a request is made before it has failed, where AWS_MAX_ATTEMPTS does not say."""
CONNECT_S: Final = 10
REQUEST_S: Final = 60
"""Seconds without a byte after which a request has failed."""
SETTINGS: Final = (
    "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_MAX_ATTEMPTS",
)  # fmt: skip
"""What of the environment a connection depends on, beside secrets, which are looked up at each request."""
SECRET: Final = pattern(r"(?i)key|secret|token|password|credential|connection_string")
CODE: Final = pattern(r"AWS Error ([A-Z_]+)(?: \(HTTP status (\d+)\))? during (\w+) operation")
CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, say who asks",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login, says who asks",
    "abfss": "AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, or az login says who asks",
}
ENDPOINTS: Final = {
    "s3": "AWS_ENDPOINT_URL and AWS_REGION say where the store is; then run again",
    "gs": "is there a network? then run again",
    "abfss": "is the account's name right? then run again",
}
NO_BUCKET: Final = "there is no such bucket"
DENIED: Final = "access denied"
UNREACHED: Final = "the store cannot be reached, or the connection broke"
SAID: Final = (
    (re.compile(r"NO_SUCH_BUCKET|[Bb]ucket .*(not found|does not exist)|ContainerNotFound"), NO_BUCKET, ENDPOINTS),
    (re.compile(r"INVALID_ACCESS_KEY_ID|INVALID_CLIENT_TOKEN|UNRECOGNIZED_CLIENT"), "the access key is not known there",
     CREDENTIALS),
    (re.compile(r"SIGNATURE_DOES_NOT_MATCH"), "the secret key does not fit the access key", CREDENTIALS),
    (re.compile(r"EXPIRED_TOKEN|ExpiredToken"), "the session token has expired", CREDENTIALS),
    (re.compile(r"ACCESS_DENIED|status 40[13]\b|\b40[13]\b|PERMISSION_DENIED|UNAUTHENTICATED|AuthenticationFailed|"
                r"AuthorizationFailure|[Cc]redential"), DENIED, CREDENTIALS),
    (re.compile(r"NETWORK_CONNECTION|REQUEST_TIMEOUT|curlCode|UNAVAILABLE|[Cc]ould not resolve|[Tt]imeout|[Cc]onnection|"
                r"transport"), UNREACHED, ENDPOINTS),
    (re.compile(r"SLOW_DOWN|THROTTLING|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|status 5\d\d"),
     "the store failed, again and again", ENDPOINTS),
)  # fmt: skip
"""What a store's error has in it, what that means, and what helps."""


class StoreError(InputError):
    """A store cannot be reached, or refuses.

    Args:
        uri: What was asked for; it holds no secret.
        what: Why it failed, in a few words.
        hint: What to do next.
    """

    def __init__(self, uri: str, what: str, hint: str | None = None) -> None:
        super().__init__(f"{uri}: {what}", hint=hint)
        self.uri = uri
        self.what = what


def filesystem(scheme: str, host: str) -> FileSystem:
    """The store that has a bucket, or a container of an account."""
    return _filesystem(scheme, host, *(os.environ.get(name, "") for name in SETTINGS))


@lru_cache(maxsize=64)
def _filesystem(scheme: str, host: str, *_settings: str) -> FileSystem:
    with asking(f"{scheme}://{host}", scheme):
        return MAKERS[scheme](host)


def _s3(bucket: str) -> FileSystem:
    from pyarrow import __version__, fs  # noqa: PLC0415 - takes a good part of the start, and few runs need it

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    more: dict[str, Any] = {"region": region} if region else {}
    if endpoint:
        scheme, _, place = endpoint.rpartition("://")
        more |= {"scheme": scheme or "https", "endpoint_override": place.rstrip("/")}
    else:
        more["region"] = fs.resolve_s3_region(bucket)  # a bucket of another region answers with a redirect only
    if int(__version__.partition(".")[0]) >= NEWER:
        more["allow_delayed_open"] = True  # a small file is one request
    return fs.S3FileSystem(
        **more,
        connect_timeout=CONNECT_S,
        request_timeout=REQUEST_S,
        background_writes=False,  # else all parts that wait to be sent are in memory
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_attempts()),
    )


def _attempts() -> int:
    typed = os.environ.get("AWS_MAX_ATTEMPTS", "")
    return int(typed) if re.fullmatch("[1-9][0-9]?", typed) else ATTEMPTS


def _gs(_bucket: str) -> FileSystem:
    from pyarrow import fs  # noqa: PLC0415

    return fs.GcsFileSystem(retry_time_limit=timedelta(seconds=REQUEST_S))


def _abfss(host: str) -> FileSystem:
    from pyarrow import __version__, fs  # noqa: PLC0415

    account, _, authority = host.partition("@")[2].partition(".")
    key = os.environ.get("AZURE_STORAGE_KEY") or os.environ.get("AZURE_STORAGE_ACCOUNT_KEY")
    token = os.environ.get("AZURE_STORAGE_SAS_TOKEN")
    if token and int(__version__.partition(".")[0]) < NEWER:
        raise StoreError(
            f"abfss://{host}",
            f"pyarrow {__version__} takes no AZURE_STORAGE_SAS_TOKEN",
            f"pip install 'pyarrow>={NEWER}', or AZURE_STORAGE_KEY",
        )
    return fs.AzureFileSystem(
        account,
        account_key=key or None,
        **({"sas_token": token} if token else {}),
        dfs_storage_authority=f".{authority}",
        blob_storage_authority=f".{authority}".replace(".dfs.", ".blob.", 1),
    )


MAKERS: Final[dict[str, Callable[[str], FileSystem]]] = {"s3": _s3, "gs": _gs, "abfss": _abfss}
"""What connects to a store, given the bucket, or the container and account, of a URI."""


@contextmanager
def asking(uri: str, scheme: str) -> Iterator[None]:
    """Turn what a store says into a `StoreError`; that there is no such object stays a FileNotFoundError.

    Args:
        uri: What is asked for.
        scheme: Scheme of the URI.

    Raises:
        StoreError: If the store refuses, or cannot be reached.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, ValueError, NotImplementedError) as error:  # pyarrow's own errors are of these kinds
        raise said(uri, scheme, str(error)) from None


def said(uri: str, scheme: str, text: str) -> StoreError:
    """What a store's own words mean; they are shown only where they are not known, and without secrets."""
    for known, what, helps in SAID:
        if known.search(text):
            return StoreError(uri, what, helps[scheme])
    code = CODE.search(text)
    return StoreError(uri, code[0] if code else without_secrets(text.partition("\n")[0])[:200], ENDPOINTS[scheme])


def without_secrets(text: str) -> str:
    """The text without queries of addresses, and without what the environment holds as keys."""
    for name, value in os.environ.items():
        if len(value) >= 4 and SECRET.search(name):
            text = text.replace(value, "…")
    return re.sub(r"\?\S+|//[^/@\s]+:[^/@\s]+@", "…", text)
