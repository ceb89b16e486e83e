"""A real S3 server on loopback, started when first asked for; and a proxy before it that fails as networks and stores do."""

from __future__ import annotations

import atexit
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from itertools import count
from threading import Thread
from typing import ClassVar, Final, NamedTuple
from urllib.parse import quote, unquote

import pytest

HOST: Final = "127.0.0.1"
KEY: Final = "AKIDNOTTOBETOLD"
SECRET: Final = "s3cr3tN0tToBeTold"  # noqa: S105 - of a server on loopback, which takes any
OWNER: Final = f"AWS4-HMAC-SHA256 Credential={KEY}/20240530/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"
"""The server asks for no more than a name."""
XML: Final = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
BUCKETS: Final = count(1)


class Bucket(NamedTuple):
    """A bucket of the server, empty at first."""

    port: int
    name: str

    def __str__(self) -> str:
        return f"s3://{self.name}"

    def put(self, key: str, content: bytes) -> str:
        """Write an object; its URI."""
        self._ask("PUT", f"/{self.name}/{quote(key)}", content)
        return f"{self}/{key}"

    def get(self, key: str) -> bytes:
        """The content of an object."""
        return self._ask("GET", f"/{self.name}/{quote(key)}")

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._ask("DELETE", f"/{self.name}/{quote(key)}")

    @property
    def keys(self) -> list[str]:
        """Names of all objects; those that stand for folders aside."""
        found = re.findall(r"<Key>([^<]*)</Key>", self._ask("GET", f"/{self.name}?list-type=2").decode())
        return sorted(key for key in found if not key.endswith("/"))

    def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        connection = HTTPConnection(HOST, self.port, timeout=30)
        connection.request(method, path, content, {"Authorization": OWNER})
        answer = connection.getresponse()
        found = answer.read()
        connection.close()
        assert answer.status < 300, (method, path, found)
        return found


class Request(NamedTuple):
    """A request as the proxy sees it: which of its kind it is, from 1."""

    method: str
    path: str
    number: int


Rule = Callable[[Request], str]
"""What becomes of a request: ``""`` as it is; ``500:Code`` answers so; ``cut`` ends it in the middle of its content."""


@cache
def port() -> int:
    """Port of the server."""
    if find_spec("moto") is None or find_spec("flask_cors") is None:
        pytest.skip("moto, flask and flask-cors are not installed")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        free = int(probe.getsockname()[1])
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(free)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    atexit.register(server.wait)
    atexit.register(server.terminate)
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, free)) == 0:
                return free
        time.sleep(0.1)
    raise TimeoutError("the S3 server does not start")


def bucket() -> Bucket:
    """A bucket of one's own."""
    found = Bucket(port(), f"bucket-{next(BUCKETS)}")
    found._ask("PUT", f"/{found.name}")
    return found


def environment(patch: pytest.MonkeyPatch, at: int) -> None:
    """Name the server, or the proxy, as every tool there takes it."""
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        patch.delenv(name, raising=False)
    patch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{at}")
    patch.setenv("AWS_ACCESS_KEY_ID", KEY)
    patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    patch.setenv("AWS_REGION", "us-east-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class _Handler(BaseHTTPRequestHandler):
    """Passes a request on, or does to it what a rule says."""

    protocol_version = "HTTP/1.1"
    rule: ClassVar[Rule]
    seen: ClassVar[list[Request]]

    def answer(self) -> None:
        what = self._ruled()
        chunked, length = "Transfer-Encoding" in self.headers, int(self.headers.get("Content-Length") or 0)
        if what == "cut" and (chunked or length):
            self.rfile.read(length // 2 or 100)
            self.close_connection = True
            return
        content = self._chunks() if chunked else self.rfile.read(length)
        if what in {"", "cut"}:
            self._pass_on(content, cut=what == "cut")
        else:
            status, _, code = what.partition(":")
            self._give(int(status), [], XML.format(code=code, message=f"no {KEY} ?X-Amz-Signature=ab").encode())

    def _ruled(self) -> str:
        path = unquote(self.path)
        number = 1 + sum(each[:2] == (self.command, path) for each in self.seen)
        self.seen.append(Request(self.command, path, number))
        return type(self).rule(self.seen[-1])

    def _pass_on(self, content: bytes, *, cut: bool) -> None:
        connection = HTTPConnection(HOST, port(), timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "expect"}:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        answer = connection.getresponse()
        self._give(answer.status, answer.getheaders(), answer.read(), cut=cut)
        connection.close()

    def _chunks(self) -> bytes:
        found = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            found.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(found)

    def _give(self, status: int, headers: list[tuple[str, str]], content: bytes, *, cut: bool = False) -> None:
        self.send_response_only(status)
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        for name, value in headers:
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        is_head = self.command == "HEAD"
        self.send_header("Content-Length", lengths[0] if is_head and lengths else str(len(content)))
        self.end_headers()
        if not is_head:
            self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection |= cut

    def log_message(self, *_: object) -> None:
        """Nothing."""


for _method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that gave up is no error here."""


@contextmanager
def proxy(rule: Rule) -> Iterator[tuple[int, list[Request]]]:
    """A proxy before the server: its port, and what came by."""
    seen: list[Request] = []
    port()
    server = _Server((HOST, 0), type("Handler", (_Handler,), {"rule": staticmethod(rule), "seen": seen}))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        server.server_close()
