r"""A flag a byte of a text, held as bits: what is asked of all bytes is asked of 64 at a time.

The first byte's bit is the lowest of the first word; behind the last byte's all bits are 0.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.int64]

ONE: Final = np.uint64(1)
LAST: Final = np.uint64(63)
STEP: Final = 1 << 18
"""Bytes looked at together: so few that flags of theirs stay in the processor's cache."""


def bits_of(data: Bytes, byte: int) -> Words:
    """Which bytes are the one.

    Args:
        data: Bytes (uint8).
        byte: The one, as a number.
    """
    found = np.zeros(-(-len(data) // 64) * 8, dtype=np.uint8)
    for start in range(0, len(data), STEP):
        packed = np.packbits(data[start : start + STEP] == byte, bitorder="little")
        found[start // 8 : start // 8 + len(packed)] = packed
    return found.view("<u8")


def bits_at(at: Places, length: int) -> Words:
    """Bits that are 1 at some places.

    Args:
        at: The places.
        length: How many bytes there are.
    """
    flags = np.zeros(length, dtype=np.uint8)
    flags[at] = 1
    return bits_of(flags, 1)


def places(bits: Words) -> Places:
    """Places of the bits that are 1 (int64, ascending).

    Examples:
        >>> places(bits_of(np.frombuffer(b"a,b,c", np.uint8), ord(","))).tolist()
        [1, 3]
    """
    packed, found = bits.view(np.uint8), [np.empty(0, dtype=np.int64)]
    for start in range(0, len(packed), STEP // 8):
        flags = np.unpackbits(packed[start : start + STEP // 8], bitorder="little").view(np.bool_)
        found.append(np.flatnonzero(flags) + start * 8)
    return np.concatenate(found)


def where(bits: Words, at: Places) -> Flags:
    """The flags at some places."""
    found: Flags = (bits[at >> 6] >> (at & 63).astype(np.uint64) & ONE).astype(np.bool_)
    return found


def odd(bits: Words) -> Words:
    """Whether the ones up to and with each bit are odd.

    Examples:
        >>> found = odd(bits_of(np.frombuffer(b'a"b"c"', np.uint8), ord('"')))
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
    """For each bit, the one before it; before the first is 0."""
    found = bits << ONE
    found[1:] |= bits[:-1] >> LAST
    return found


def after(bits: Words) -> Words:
    """For each bit, the one after it; after the last is 0."""
    found = bits >> ONE
    found[:-1] |= bits[1:] << LAST
    return found
