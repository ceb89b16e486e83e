"""The content of an object, read in ranges that grow, one ahead; that it is the same object to the end is looked after."""

from __future__ import annotations

import io
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import IO, Any, Final, cast

from sessionize.stores.connect import StoreError, asking
from sessionize.stores.path import StorePath, parsed

FIRST: Final = 64 << 10
"""Bytes of the first range: what tells a file's layout; they are kept, as several look at them."""
LARGEST: Final = 8 << 20
"""Bytes of a range, at most; two are held at a time."""
GROWTH: Final = 8
HEADS: Final = 256
"""Objects of which the first range is kept."""
CHANGED: Final = "it changed while it was read"
Stamp = tuple[int, str]
"""Size and entity tag of an object; where a store has no tags, the time it was written."""

_AHEAD: Final[list[ThreadPoolExecutor]] = []
_HEADS: Final[OrderedDict[tuple[str, Stamp], bytes]] = OrderedDict()
_LOCK: Final = Lock()


def read_from(path: StorePath, stamp: Stamp | None = None) -> IO[bytes]:
    """The content of an object.

    Args:
        path: Path or URI of the object.
        stamp: What `stamp_of` said of it before; None where that is not known.

    Raises:
        FileNotFoundError: If there is no such object.
        StoreError: While it is read, if it is not the same object any more, or the connection breaks.
    """
    return cast("IO[bytes]", io.BufferedReader(_Content(path, stamp), FIRST))


def stamp_of(path: StorePath, file: Any = None) -> Stamp:
    """What an object is, told apart from any other that is put in its place.

    Args:
        path: Path or URI of the object.
        file: The object, opened, if it is.
    """
    found = file or path.opened()
    with asking(str(path), path.scheme):
        told = {str(name).lower(): value for name, value in dict(found.metadata() or {}).items()}
        size = int(found.size())
    tag = told.get("etag") or told.get("last-modified") or path.stat().st_mtime_ns
    return size, tag.decode() if isinstance(tag, bytes) else str(tag)


def check_same(path: StorePath, stamp: Stamp | None, file: Any = None) -> None:
    """Refuse an object that is not the one that was seen before.

    Raises:
        StoreError: If the object is another one by now.
    """
    try:
        changed = stamp is not None and stamp_of(path, file) != stamp
    except FileNotFoundError:
        changed = True
    if changed:
        raise StoreError(str(path), CHANGED, "run again, once nobody writes to it")


class Ranges:
    """An object that is read at any place.

    Args:
        uri: URI of the object.
        stamp: What `stamp_of` said of it before.

    Raises:
        StoreError: As `read_from` does.
    """

    def __init__(self, uri: str, stamp: Stamp | None) -> None:
        self._path, self._stamp = parsed(uri), stamp
        self._file = self._path.opened()
        check_same(self._path, stamp, self._file)

    def read(self, start: int, length: int) -> bytes:
        """Some of its bytes."""
        with asking(str(self._path), self._path.scheme):
            found = bytes(self._file.read_at(length, start))
        if len(found) < length:
            raise StoreError(str(self._path), CHANGED, "run again")
        return found

    def check_same(self) -> None:
        """Refuse it, if another one has taken its place."""
        check_same(self._path, self._stamp)


class _Content(io.RawIOBase):
    """An object as a file that is read from its start."""

    def __init__(self, path: StorePath, stamp: Stamp | None) -> None:
        self._path, self._stamp = path, stamp
        self._file: Any = None
        self._held = memoryview(b"")
        self._at = 0  # where what is held ends
        self._ahead: Future[bytes] | None = None
        self._step = FIRST
        head = None if stamp is None else _HEADS.get((str(path), stamp))
        if head is None:
            self._file = path.opened()
            check_same(path, stamp, self._file)
            self._stamp = stamp_of(path, self._file)
        self._size = cast("Stamp", self._stamp)[0]
        if head is not None:
            self._held, self._at = memoryview(head), len(head)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at - len(self._held)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._size}[whence]
        to = max(0, start + offset)
        if self.tell() <= to <= self._at:
            self._held = self._held[to - self.tell() :]
        else:
            self._held, self._at, self._ahead, self._step = memoryview(b""), to, None, FIRST
        return to

    def readinto(self, into: Any) -> int:
        if not self._held and self._at < self._size:
            self._held = memoryview(self._next())
            self._at += len(self._held)
            if self._at >= self._size:
                check_same(self._path, self._stamp)
        number = min(len(into), len(self._held))
        into[:number] = self._held[:number]
        self._held = self._held[number:]
        return number

    def _next(self) -> bytes:
        """The range that follows; the one behind it is asked for at once."""
        is_first = self._at == 0
        found = self._range(self._at, self._step) if self._ahead is None else self._ahead.result()
        if not found:
            raise StoreError(str(self._path), "it ends before its end", "run again")
        if is_first:
            _keep((str(self._path), cast("Stamp", self._stamp)), found)
        grown = self._ahead is not None or not is_first
        self._step = min(LARGEST, self._step * GROWTH)
        after = self._at + len(found)
        self._ahead = _ahead().submit(self._range, after, self._step) if grown and after < self._size else None
        return found

    def _range(self, start: int, length: int) -> bytes:
        if self._file is None:
            self._file = self._path.opened()
            check_same(self._path, self._stamp, self._file)
        with asking(str(self._path), self._path.scheme):
            return bytes(self._file.read_at(min(length, self._size - start), start))

    def close(self) -> None:
        self._ahead = None
        self._held = memoryview(b"")
        super().close()


def _keep(name: tuple[str, Stamp], head: bytes) -> None:
    with _LOCK:
        _HEADS[name] = head
        if len(_HEADS) > HEADS:
            _HEADS.popitem(last=False)


def _ahead() -> ThreadPoolExecutor:
    with _LOCK:
        if not _AHEAD:
            _AHEAD.append(ThreadPoolExecutor(2, thread_name_prefix="sessionize-store"))
        return _AHEAD[0]
