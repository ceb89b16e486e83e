"""What is told of bits is what a loop over flags tells."""

from __future__ import annotations

from itertools import accumulate
from operator import xor

import numpy as np
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from sessionize.read.bits import Words, after, before, bits_at, bits_of, odd, places, where


def flags_of(bits: Words, length: int) -> list[int]:
    flags: list[int] = np.unpackbits(bits.view(np.uint8), bitorder="little").tolist()
    assert not any(flags[length:])
    return flags[:length]


@examples()
@given(
    st.binary(min_size=1, max_size=300).map(lambda text: bytes(each % 3 for each in text)),
    st.sampled_from([0, 1 << 18]),
)
def test_bits_are_told_as_flags_are_whichever_way_they_are_made(text: bytes, small: int) -> None:
    flags = [int(each == 1) for each in text]
    bits = bits_of(np.frombuffer(text, dtype=np.uint8), 1, small=small)[0]
    ones = places(bits, small, step=128)
    assert flags_of(bits, len(text)) == flags
    assert ones.tolist() == [place for place, flag in enumerate(flags) if flag]
    assert flags_of(bits_at(ones, len(text)), len(text)) == flags
    assert where(bits, np.arange(len(text))).tolist() == [bool(flag) for flag in flags]
    assert np.unpackbits(odd(bits).view(np.uint8), bitorder="little")[: len(text)].tolist() == list(
        accumulate(flags, xor)
    )
    assert np.unpackbits(before(bits).view(np.uint8), bitorder="little")[: len(text)].tolist() == [0, *flags[:-1]]
    assert flags_of(after(bits), len(text)) == [*flags[1:], 0]
