"""One look at a text tells what looking for each byte would."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionize.config import Config
from sessionize.read import seen
from sessionize.read.files import find
from sessionize.read.lines import blocks
from sessionize.read.seen import Seen, look

TEXTS = st.text(st.sampled_from("a\n\r\\\t\0é\x7f "), max_size=40).map(str.encode) | st.binary(max_size=40)


def slowly(text: bytes) -> Seen:
    return Seen(
        line_feeds=text.count(b"\n"),
        controls=sum(byte < 32 for byte in text),
        lowest=min((byte - 256 if byte > 127 else byte for byte in text), default=127),
        carriage_returns=b"\r" in text,
        backslashes=b"\\" in text,
    )


@given(TEXTS, st.integers(1, 50))
def test_a_look_tells_what_is_in_a_text_wherever_it_is_cut(text: bytes, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen, "PIECE", piece)
        assert look(text) == slowly(text)


@given(st.lists(TEXTS, max_size=6), st.sampled_from([b"\n", b"\r\n", b"\n\xef\xbb\xbf", b"\r"]), st.integers(8, 60))
def test_a_block_says_what_is_in_it_whatever_its_lines_ended_with(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bytes, size: int
) -> None:
    path = tmp_path_factory.mktemp("seen") / "log.csv"
    path.write_bytes(b"first" + end.join([b"", *lines, b"last"]))
    (source,) = find(Config(inputs=(str(path),))).sources
    for block in blocks(replace(source, limits=replace(source.limits, block_bytes=size))):
        told, there = block.look(), slowly(block.text)
        assert told._replace(lowest=0) == there._replace(lowest=0)
        assert told.lowest <= there.lowest
