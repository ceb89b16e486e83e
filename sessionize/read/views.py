"""Texts that lie in the bytes of many lines, by their places: views of the bytes, and what is wanted of them copied."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Places: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Bytes: TypeAlias = npt.NDArray[np.uint8]

INLINE: Final = 12
"""Bytes of a text that stand in an Arrow view itself; of a longer one, the first four and its place."""
LENGTH: Final = 4
"""Bytes of its length, with which a view begins."""
VIEW: Final = LENGTH + INLINE
HIGH: Final = np.uint64(32)
LEAD: Final = b"\0\0\0\n"
"""What the text gets before it: the end of a line, and room for the length of a view of its first field."""
ROOM: Final = 1.25
"""Times the bytes of texts that a copy may take in which each has as much room as the longest: it is made much faster."""
FEW: Final = 1 << 12
"""Texts that are made one by one."""
KEPT: Final = np.array(
    [[0] * LENGTH + [0xFF] * size + [0] * (INLINE - size) for size in range(INLINE + 1)]
    + [[0] * 4 + [0xFF] * 4 + [0] * 8],
    dtype=np.uint8,
).view("<u8")
"""Which of the bytes of a view are of its text, by the text's length; last, of all longer ones."""


def padding(text: bytes) -> tuple[Bytes, Bytes]:
    """A text with what is needed around it: LEAD, and bytes for a view of its last field.

    Returns:
        It with all of that, and of it the part from the line feed before the text to the text's end (uint8).
    """
    padded = np.empty(len(LEAD) + len(text) + INLINE, dtype=np.uint8)
    padded[: len(LEAD)] = np.frombuffer(LEAD, dtype=np.uint8)
    padded[len(LEAD) : -INLINE] = np.frombuffer(text, dtype=np.uint8)
    padded[-INLINE:] = 0
    return padded, padded[len(LEAD) - 1 : -INLINE]


def is_utf8(text: bytes) -> bool:
    """Whether bytes are UTF-8; told some times faster than by decoding them, and while other threads run."""
    if np.frombuffer(text, dtype=np.int8).min(initial=0) >= 0:
        return True
    try:
        pl.Series([text], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return True


def nulls(name: str, count: int, dtype: pl.DataType | type[pl.String]) -> pl.Series:
    """A column of nulls, made at once: most other ways would wait for Polars' threads, which do what takes long."""
    return pl.Series(name, [None], dtype=dtype).new_from_index(0, count)


def texts_at(data: Bytes, starts: Places, lengths: Places, there: Flags, few: int = FEW) -> pl.Series:
    """Texts that lie in the data, copied from it, so that a column that is kept does not keep all of it.

    Args:
        data: Bytes in which the texts lie, with a view's more around them.
        starts: Place of each text's first byte.
        lengths: Number of each text's bytes.
        there: Whether there is a text; else the value is null.
        few: Number of texts up to which they are made one by one.

    Returns:
        A String column, as long as ``starts``.
    """
    count, longest = len(starts), int(lengths.max(initial=0))
    if count <= few:
        text, places = data.tobytes(), zip(starts.tolist(), lengths.tolist(), there.tolist(), strict=True)
        return pl.Series(
            [text[at : at + size].decode() if is_text else None for at, size, is_text in places], dtype=pl.String
        )
    import pyarrow as pa  # noqa: PLC0415 - takes as long as all else of a small log, and only large ones need it

    if longest > INLINE and int(lengths.min()) == longest:  # ids and times, mostly: faster than through views
        ends = np.arange(0, (count + 1) * longest, longest)
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(starting(data, longest)[starts])]
        return pl.Series(pa.Array.from_buffers(pa.large_string(), count, buffers))
    views = starting(data, VIEW)[starts - LENGTH].view("<u8").reshape(-1, 2)
    views &= KEPT.take(np.minimum(lengths, INLINE + 1), axis=0)
    views[:, 0] |= lengths.astype(np.uint64)
    valid = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    buffers = [valid, pa.py_buffer(views)]
    long = np.flatnonzero(lengths > INLINE)
    if len(long):
        if longest * count <= ROOM * int(lengths.sum()) and int(starts.max()) + longest <= len(data):
            views[long, 1] |= (long * longest).astype(np.uint64) << HIGH
            buffers.append(pa.py_buffer(starting(data, longest)[starts]))
            return pl.Series(pa.Array.from_buffers(pa.string_view(), count, buffers))
        views[long, 1] |= starts[long].astype(np.uint64) << HIGH
        seen = pa.Array.from_buffers(pa.string_view(), len(long), [None, pa.py_buffer(views[long]), pa.py_buffer(data)])
        _, copied_starts, copied = seen.cast(pa.large_string()).buffers()
        views[long, 1] = np.frombuffer(copied_starts, dtype=np.uint64)[: len(long)] << HIGH
        buffers.append(copied)
    return pl.Series(pa.Array.from_buffers(pa.string_view(), count, buffers))


def starting(data: Bytes, size: int) -> npt.NDArray[np.void]:
    """The ``size`` bytes from each place on, as a view: one value for each place that has so many behind it.

    Returns:
        One value a place, a view of ``size`` bytes (void).
    """
    return np.ndarray((len(data) - size + 1,), dtype=f"V{size}", buffer=data, strides=(1,))
