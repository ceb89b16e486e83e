r"""A flag a byte of a text, held as bits: what is asked of all bytes is asked of 64 at a time.

The first byte's bit is the lowest of the first word; behind the last byte's all bits are 0. Polars makes bits of a large
text, and places of bits, several times faster than NumPy does; it is handed them by pyarrow, which a small log does not
load.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.int64]

WORD: Final = 64
ONE: Final = np.uint64(1)
LAST: Final = np.uint64(WORD - 1)
SMALL: Final = 3 << 20
"""Bytes of a text that is not worth the time that pyarrow takes to load."""
STEP: Final = 1 << 18
"""Bits of which the places are found together: their numbers stay near the processor."""


def bits_of(data: Bytes, *which: int, small: int = SMALL) -> list[Words]:
    """Which bytes are one, and which are another.

    Args:
        data: Bytes (uint8).
        which: Each of them, as a number.
        small: Bytes of data up to which pyarrow is not loaded for it.

    Returns:
        For each of them a bit a byte, 64 to a word (uint64).
    """
    if len(data) <= small:
        return [_words(np.packbits(data == byte, bitorder="little"), len(data)) for byte in which]
    import pyarrow as pa  # noqa: PLC0415 - see above

    each = pl.Series(pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)]))
    flags = ((each == byte).to_arrow().buffers()[1] for byte in which)
    return [_words(np.frombuffer(bits, dtype=np.uint8), len(data)) for bits in flags]


def _words(packed: Bytes, length: int) -> Words:
    """Bits in bytes as words, those behind the last one 0."""
    found = np.zeros(-(-length // WORD), dtype="<u8")
    found.view(np.uint8)[: len(packed)] = packed
    if length % WORD:
        found[-1] &= (ONE << np.uint64(length % WORD)) - ONE
    return found


def bits_at(at: Places, length: int) -> Words:
    """Bits that are 1 at some places.

    Args:
        at: Places of the bits (int64).
        length: How many bytes there are.

    Returns:
        A bit a byte, 64 to a word (uint64).
    """
    flags = np.zeros(length, dtype=np.uint8)
    flags[at] = 1
    return bits_of(flags, 1)[0]


def places(bits: Words, small: int = SMALL, step: int = STEP) -> Places:
    """Places of the bits that are 1 (int64, ascending).

    Args:
        bits: The bits.
        small: Number of bits up to which pyarrow is not loaded for it.
        step: Bits of which the places are found together.

    Examples:
        >>> places(*bits_of(np.frombuffer(b"a,b,c", np.uint8), ord(","))).tolist()
        [1, 3]
    """
    count = len(bits) * WORD
    if count <= small:
        return np.flatnonzero(_flags(bits))
    flags = _series(bits)
    return np.concatenate([_places(flags.slice(start, step), start) for start in range(0, count, step)])


def ones(bits: Words, small: int = SMALL) -> int:
    """How many bits are 1.

    Args:
        bits: The bits.
        small: Number of bits up to which pyarrow is not loaded for it.
    """
    return int(np.count_nonzero(_flags(bits)) if len(bits) * WORD <= small else _series(bits).sum())


def _flags(bits: Words) -> Flags:
    return np.unpackbits(bits.view(np.uint8), bitorder="little").view(np.bool_)


def _series(bits: Words) -> pl.Series:
    import pyarrow as pa  # noqa: PLC0415 - see above

    return pl.Series(pa.Array.from_buffers(pa.bool_(), len(bits) * WORD, [None, pa.py_buffer(bits)]))


def _places(flags: pl.Series, start: int) -> Places:
    found: Places = np.add(_numbers()[: len(flags)].filter(flags).to_numpy(), start, dtype=np.int64)
    return found


@lru_cache
def _numbers() -> pl.Series:
    return pl.int_range(STEP, dtype=pl.UInt32, eager=True)


def where(bits: Words, at: Places) -> Flags:
    """The flags at some places.

    Returns:
        One flag a place (bool).
    """
    found: Flags = (bits[at >> 6] >> (at & 63).astype(np.uint64) & ONE).astype(np.bool_)
    return found


def odd(bits: Words) -> Words:
    """Whether the ones up to and with each bit are odd.

    Returns:
        As many bits as are given (uint64).

    Examples:
        >>> found = odd(*bits_of(np.frombuffer(b'a"b"c"', np.uint8), ord('"')))
        >>> np.unpackbits(found.view(np.uint8), bitorder="little")[:6].tolist()
        [0, 1, 1, 0, 0, 1]
    """
    found = bits ^ bits << ONE
    for distance in (2, 4, 8, 16, 32):
        found ^= found << np.uint64(distance)
    if len(found) > 1:
        found[1:] ^= np.negative(np.bitwise_xor.accumulate(found[:-1] >> LAST))
    return found


def before(bits: Words) -> Words:
    """For each bit, the one before it; before the first is 0.

    Returns:
        As many bits as are given (uint64).
    """
    found = bits << ONE
    found[1:] |= bits[:-1] >> LAST
    return found


def after(bits: Words) -> Words:
    """For each bit, the one after it; after the last is 0.

    Returns:
        As many bits as are given (uint64).
    """
    found = bits >> ONE
    found[:-1] |= bits[1:] << LAST
    return found
