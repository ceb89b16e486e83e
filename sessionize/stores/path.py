"""A path in an object store, with the names that `pathlib.Path` has for what is asked of it."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import total_ordering
from typing import IO, TYPE_CHECKING, Any, Final

from sessionize.patterns import pattern
from sessionize.stores import connect
from sessionize.stores.connect import NO_BUCKET, StoreError, asking
from sessionize.values import NamedTuple, dataclass

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, FileSystem


URI: Final = pattern(r"(s3|gs|abfss)://([^/]*)/*(.*)", re.DOTALL)


class Status(NamedTuple):
    """What a store tells of an object, named as in `os.stat_result`.

    Attributes:
        st_mode: Whether it is a file or a folder.
        st_size: Bytes of the object.
        st_mtime_ns: When it was written, nanoseconds since 1970.
        st_dev: Number of the bucket.
        st_ino: Number of the object: another one for every name.
    """

    st_mode: int
    st_size: int
    st_mtime_ns: int
    st_dev: int
    st_ino: int


@total_ordering
@dataclass(frozen=True)
class StorePath:
    """A path in an object store.

    Attributes:
        scheme: ``s3``, ``gs`` or ``abfss``.
        host: The bucket; of ``abfss``, container and account.
        key: Name of an object, or the beginning of the names of those in a folder; no slash at either end.
    """

    scheme: str
    host: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}/{self.key}" if self.key else f"{self.scheme}://{self.host}"

    def __lt__(self, other: StorePath) -> bool:
        return self.parts < other.parts

    def __truediv__(self, name: str) -> StorePath:
        return self._of(f"{self.key}/{name}".strip("/"))

    def _of(self, key: str) -> StorePath:
        return StorePath(self.scheme, self.host, key)

    @property
    def inner(self) -> str:
        """The path as pyarrow.fs has it."""
        return f"{self.host.partition('@')[0]}/{self.key}".rstrip("/")

    @property
    def identity(self) -> tuple[int, int]:
        """Numbers of the bucket and of the whole name."""
        return _number(self.host), _number(str(self))

    @property
    def store(self) -> FileSystem:
        """The store, connected."""
        return connect.filesystem(self.scheme, self.host)

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]

    @property
    def parts(self) -> tuple[str, ...]:
        """Scheme, bucket and the parts of the key."""
        return (f"{self.scheme}:", self.host, *(self.key.split("/") if self.key else ()))

    @property
    def parent(self) -> StorePath:
        """The folder it lies in; of a bucket, itself."""
        return self._of(self.key.rpartition("/")[0])

    @property
    def parents(self) -> Sequence[StorePath]:
        """The folders it lies in, the nearest first, the bucket last."""
        parts = self.key.split("/")
        return [self._of("/".join(parts[:end])) for end in range(len(parts) - 1, -1, -1)] if self.key else []

    def absolute(self) -> StorePath:
        """Itself."""
        return self

    def with_name(self, name: str) -> StorePath:
        """What lies beside it under another name."""
        return self.parent / name

    def is_fifo(self) -> bool:
        """Never."""
        return False

    def is_file(self) -> bool:
        """Whether there is such an object."""
        return bool(self.info().is_file)

    def is_dir(self) -> bool:
        """Whether there are objects below."""
        return str(self.info().type.name) == "Directory"

    def exists(self) -> bool:
        """Whether there is such an object, or any below."""
        return str(self.info().type.name) != "NotFound"

    def info(self) -> FileInfo:
        """What the store tells of it."""
        with asking(str(self), self.scheme):
            return self.store.get_file_info(self.inner)

    def stat(self) -> Status:
        """Size, time and identity.

        Raises:
            FileNotFoundError: If there is no such object.
            StoreError: If the store cannot be asked, or has no such bucket.
        """
        return self.status(self.info())

    lstat = stat

    def status(self, info: FileInfo) -> Status:
        """The same, of what the store has told already."""
        if info.type.name == "NotFound":
            self.check_bucket()
            raise FileNotFoundError(2, "no such object", str(self))
        mode = stat.S_IFREG if info.is_file else stat.S_IFDIR
        return Status(mode, info.size or 0, info.mtime_ns or 0, *self.identity)

    def check_bucket(self) -> None:
        """Refuse a bucket that is not there.

        Raises:
            StoreError: If there is no such bucket, or it refuses.
        """
        bucket = self._of("")
        if not bucket.exists():
            raise StoreError(str(self), NO_BUCKET, connect.ENDPOINTS[self.scheme])

    def iterdir(self) -> Iterator[StorePath]:
        """What lies right in the folder."""
        return (path for path, _ in self.listed(recursive=False))

    def listed(self, *, recursive: bool) -> list[tuple[StorePath, FileInfo]]:
        """What lies in the folder, or anywhere below, and what the store tells of each."""
        from pyarrow.fs import FileSelector  # noqa: PLC0415 - takes a good part of the start, and few runs need it

        with asking(str(self), self.scheme):
            selector = FileSelector(self.inner, allow_not_found=True, recursive=recursive)
            start = len(self._of("").inner) + 1
            found = [(self._of(info.path[start:]), info) for info in self.store.get_file_info(selector)]
        if not found:
            self.check_bucket()
        return found

    def open(self, _mode: str = "rb") -> IO[bytes]:
        """Its content."""
        from sessionize.stores.content import read_from  # noqa: PLC0415 - which is made of paths

        return read_from(self)

    def read_bytes(self) -> bytes:
        """All of its content."""
        with self.open() as file:
            return file.read()

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """All of its content, as text."""
        return self.read_bytes().decode(encoding, errors)

    def opened(self) -> Any:
        """A pyarrow file for reading at any place."""
        if not self.key:
            self.check_bucket()
        with asking(str(self), self.scheme):
            return self.store.open_input_file(self.inner)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A stream that is an object once the block has ended; if the block fails, there is none of this name.

        Raises:
            StoreError: If it cannot be written.
        """
        with asking(str(self), self.scheme):
            try:
                stream = self.store.open_output_stream(self.inner)
            except FileNotFoundError:
                raise StoreError(str(self), NO_BUCKET, connect.ENDPOINTS[self.scheme]) from None
            try:
                yield stream
                stream.close()
            except BaseException:
                # To close it is all that pyarrow has: after a failed part that fails, after any other error it makes
                # an object of what was sent so far.
                with suppress(OSError):
                    stream.close()
                    self.store.delete_file(self.inner)
                raise

    def unlink(self) -> None:
        """Delete it; that it is not there is no error."""
        with asking(str(self), self.scheme):
            try:
                self.store.delete_file(self.inner)
            except FileNotFoundError:
                return


def parsed(uri: str) -> StorePath:
    """The path that the URI of an object or a folder is."""
    found = URI.fullmatch(uri)
    if found is None:
        raise ValueError(f"not the URI of a store: {uri}")
    return StorePath(found[1], found[2], found[3].rstrip("/"))


def _number(text: str) -> int:
    """A number for a name, as good as one of its own."""
    return int.from_bytes(hashlib.sha256(text.encode(errors="surrogateescape")).digest()[:8], "big")
