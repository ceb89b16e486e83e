"""Blank lines cost next to nothing, however many there are, and the others keep their numbers."""

from __future__ import annotations

import gzip
import resource
import time
from pathlib import Path

import pytest
from budget import in_turn
from hypothesis import given
from hypothesis import strategies as st

from sessionize import Config, Output, run
from sessionize.presets import load
from sessionize.read.files import find
from sessionize.read.lines import Block, _thinned, blocks

HEAD = {"csv": b"session_id,timestamp\n", "ndjson": b"", "log": b""}
ROW = {
    "csv": b"a,2024-05-30T10:00:00Z\n",
    "ndjson": b'{"session_id": "a", "timestamp": "2024-05-30T10:00:00Z"}\n',
    "log": b'a - - [30/May/2024:10:00:00 +0000] "GET / HTTP/1.1" 200 12\n',
}
BAD = b"x\n"


def _config(path: Path, form: str, **more: object) -> Config:
    if form == "log":
        more |= {"preset": load("combined"), "columns": {"session_id": "ip"}, "time_format": "%d/%b/%Y:%H:%M:%S %z"}
    return Config(inputs=(str(path),), **more)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "packed", "end"),
    in_turn(["csv", "csv over lines", "ndjson", "log"], ["", ".gz", ".gz", ""], [b"\n", b"\r\n"]),
)
def test_fifteen_million_blank_lines_take_a_blink_and_no_memory(
    form: str, packed: str, end: bytes, tmp_path: Path
) -> None:
    kind = form.split(maxsplit=1)[0]
    path = tmp_path / f"small.{kind}"
    path.write_bytes(HEAD[kind] + ROW[kind])
    multiline = form == "csv over lines"
    run(_config(path, kind, multiline=multiline), Output(directory=str(tmp_path / "small")))  # what is loaded once
    blank = 15_000_000 // len(end)
    path = tmp_path / f"log.{kind}{packed}"
    text = HEAD[kind] + ROW[kind] + end * blank + BAD + ROW[kind]
    path.write_bytes(gzip.compress(text, 1) if packed else text)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    config = _config(path, kind, multiline=multiline)
    done = run(config, Output(directory=str(tmp_path / "out"), form="ndjson"))
    assert time.process_time() - began < 5  # they took over 3 s for each of the three times that a file is read
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # kB
    assert (done.counts.events, done.counts.rejected) == (2, 1)
    row = (tmp_path / "out" / "rejected.ndjson").read_text()
    assert f'"row":{blank + 2 + bool(HEAD[kind])},' in row.replace(" ", "")
    assert '"raw":"x"' in row.replace(" ", "")


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_blank_lines_before_the_first_row(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"log.{form}"
    path.write_bytes(b"\n" * 5_000 + HEAD[form] + ROW[form])
    done = run(_config(path, form), Output(directory=str(tmp_path / "out")))
    assert (done.counts.events, done.counts.rows_read) == (1, 1)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=12), st.integers(1, 9), st.integers(1, 30))
def test_what_is_left_out_are_blank_lines_only(parts: list[tuple[int, bool]], size: int, most: int) -> None:
    text = b"".join(b"\n" * count + (b"x\n" if there else b"") for count, there in parts)
    cuts = [at + 1 for at in range(len(text)) if text[at] == ord("\n")][::size]
    kept: list[Block] = []
    first, run_before = 1, 0
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        found, run_before = _thinned(Block(text[start:end], first), run_before, most, looked_at=3)
        kept += found
        first += text.count(b"\n", start, end)
    numbered = [
        (block.first + place, line) for block in kept for place, line in enumerate(block.text.split(b"\n")[:-1])
    ]
    expected = [(number, line) for number, line in enumerate(text.split(b"\n")[:-1], 1) if line]
    assert [each for each in numbered if each[1]] == expected
    assert all(block.text.endswith(b"\n") for block in kept)
    assert len(numbered) == len({number for number, _ in numbered})


@pytest.mark.slow
def test_a_record_over_lines_keeps_its_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    text = "x" + "\n" * 500_000 + "y"
    path.write_text(f'session_id,timestamp,plan\na,2024-05-30T10:00:00Z,"{text}"\n' + "\n" * 3_000_000)
    config = Config(inputs=(str(path),), multiline=True, properties=("plan",))
    done = run(config, Output(directory=str(tmp_path / "out"), form="ndjson"))
    assert done.counts.events == 1
    assert text.replace("\n", "\\n") in (tmp_path / "out" / "sessions.ndjson").read_text()
    kept = sum(block.text.count(b"\n") for block in blocks(find(config).sources[0]))
    assert 1_500_000 < kept < 2_000_000
