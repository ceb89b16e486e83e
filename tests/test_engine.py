"""However a key's rows come together, in memory or through files, the same rows come out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import ref

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from budget import examples
from engine import plan_of, raw_frame
from hypothesis import given
from hypothesis import strategies as st
from nights import IN_MEMORY, Pieces, in_files
from oracle import Event, OracleRules
from polars.testing import assert_frame_equal
from strategies import logs, roles, rules

from sessionize import Config, Output, run, schema
from sessionize.engine.observe import Observer, Whole
from sessionize.engine.partition import Partition
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.result import Counts, Result
from sessionize.errors import AccountingError
from sessionize.kernel import Sessionized
from sessionize.kernel.describe import ENDED_BY, LAST_OF_KEY, with_fields
from sessionize.kernel.dictionaries import CODED, Dictionaries
from sessionize.limits import Limits

WORDS = tuple(role for role in CODED if role != schema.SESSION_ID)


def outcome(result: Result) -> dict[str, Any]:
    """All that a result says; sums of money rounded, as the order in which equal sums are added may differ.

    Whether a session that ended by silence is its key's last is not always known, nor told.
    """
    batches = list(result.batches)
    sessions = pl.concat(batch.sessions for batch in batches)
    events = pl.concat(batch.events for batch in batches if batch.events is not None)
    return {
        "sessions": sessions.with_columns(pl.col("value").round(6)).drop(LAST_OF_KEY, ENDED_BY).to_dicts(),
        "events": events.to_dicts(),
        "rejected": result.rejected.to_dicts(),
        "counts": result.counts,
        "watermark": result.watermark,
    }


@pytest.mark.slow
@examples(100)
@given(
    logs(), rules(), roles(), st.integers(1, 7), st.integers(1, 4), st.tuples(st.integers(1, 9), st.integers(0, 4)),
    st.frozensets(st.sampled_from(WORDS)), st.tuples(st.sampled_from([0, 400, 1_600]), st.sampled_from([1, 1_000, 1 << 30])),
)  # fmt: skip
def test_files_by_key_and_columns_as_dictionaries_give_the_same_as_memory(  # noqa: PLR0917 - what varies
    log: list[Event], rule: OracleRules, role: frozenset[str], rows: int, batch: int, split: tuple[int, int],
    held: frozenset[str], memory: tuple[int, int],
) -> None:  # fmt: skip
    parts, small = split  # some dictionaries are small throughout, some outgrow that between two files, some at once
    plan, frame = plan_of(rule, role), raw_frame(log, role, rule)
    whole = outcome(sessionize_log(Pieces(frame), plan, IN_MEMORY, assign=True))
    log_in_pieces = Pieces(frame, rows, held & {*frame.columns})
    with TemporaryDirectory() as folder:
        limits = in_files(
            Path(folder), partitions=(parts, parts), session_rows=batch, file_rows=batch, few_texts=small,
            dictionary_share=0, slice_rows=batch, event_bytes=memory[0], made_bytes=memory[1],
        )  # fmt: skip
        by_key = outcome(sessionize_log(log_in_pieces, plan, limits, assign=True))
    assert by_key == whole
    assert outcome(sessionize_log(log_in_pieces, plan, IN_MEMORY, assign=True)) == whole


def test_while_sessions_are_made_no_one_holds_the_events_that_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[Event] = [
        {"session_id": f"s{number % 3}", "event_type": "click", "timestamp_us": number} for number in range(20)
    ]
    role, rule = frozenset({"timestamp", "session_id", "event_type"}), OracleRules()
    plan, frame = plan_of(rule, role), raw_frame(log, role, rule)
    taken: list[ref[pl.DataFrame]] = []
    take, coded = Partition.release, Dictionaries.coded

    def watched(part: Partition) -> pl.DataFrame:
        taken.append(ref(events := take(part)))
        return events

    def watched_coded(of: Dictionaries, frame: pl.DataFrame) -> pl.DataFrame:
        taken.append(ref(events := coded(of, frame)))
        return events

    def last_step(*arguments: Any) -> pl.DataFrame:
        # Three batches as they came and as they were kept, what they became together, and that as the kernel has it.
        assert [each() for each in taken] == [None] * 8
        assert arguments[1].columns == ["session_id"]  # of the others only numbers are needed
        return with_fields(*arguments)

    monkeypatch.setattr(Partition, "release", watched)
    monkeypatch.setattr(Dictionaries, "coded", watched_coded)
    monkeypatch.setattr("sessionize.kernel.sessions.with_fields", last_step)
    sessionize_log(Pieces(frame, 7), plan, IN_MEMORY)
    assert len(taken) == 8


def test_sessions_in_files_can_be_read_a_few_at_a_time(tmp_path: Path) -> None:
    log: list[Event] = [{"session_id": f"s{number}", "timestamp_us": 0} for number in range(50)]
    role, rule = frozenset({"timestamp", "session_id"}), OracleRules()
    plan, frame = plan_of(rule, role), raw_frame(log, role, rule)
    limits = in_files(tmp_path, partitions=(1, 1), file_rows=20, made_bytes=1)
    result = sessionize_log(Pieces(frame), plan, limits, assign=True)
    files = [pa.ipc.open_file(path) for path in tmp_path.glob("*sessions-*.arrow")]
    assert [file.num_record_batches for file in files] == [3, 3]
    assert sum(batch.sessions.height for batch in result.batches) == 50


def test_events_are_taken_once() -> None:
    part = Partition(pl.DataFrame({"a": [1]}))
    assert part.release().height == 1
    with pytest.raises(ValueError, match="taken before"):
        part.release()


@pytest.mark.slow
def test_a_run_short_of_memory_writes_the_same_bytes_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    sample = Path(__file__).parent.parent / "sample_data" / "events.csv"
    config = Config(inputs=(str(sample),))
    run(config, Output(directory=str(tmp_path / "memory"), events=True))
    run(
        config,
        Output(directory=str(tmp_path / "files"), events=True),
        limits=in_files(tmp_path / "not asked", slice_rows=200),
    )
    written = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert written == {path.name: path.read_bytes() for path in (tmp_path / "memory").iterdir()}
    assert set(written) == {
        ".sessionize.lock", "manifest.json", "events.parquet", "metrics.parquet", "sessions.parquet", "rejected.ndjson",
    }  # fmt: skip


@pytest.mark.slow
def test_texts_that_are_written_from_codes_are_texts_to_every_reader(tmp_path: Path) -> None:
    sample = Path(__file__).parent.parent / "sample_data" / "events.csv"
    for name, few in (("codes", 10_000), ("texts", -1)):
        limits = replace(Limits.of(), few_texts=few)
        run(Config(inputs=(str(sample),)), Output(directory=str(tmp_path / name)), limits=limits)
    codes, texts = (tmp_path / name / "metrics.parquet" for name in ("codes", "texts"))
    assert pl.read_parquet_metadata(codes)["ARROW:schema"] == pl.read_parquet_metadata(texts)["ARROW:schema"]
    assert pl.read_parquet_schema(codes)["entry_page"] == pl.String
    assert_frame_equal(pl.read_parquet(codes), pl.read_parquet(texts))
    few_kinds = pq.ParquetFile(codes).metadata.row_group(0)
    bounds = {
        few_kinds.column(at).path_in_schema: few_kinds.column(at).statistics for at in range(few_kinds.num_columns)
    }
    pages = pl.read_parquet(texts)["entry_page"]
    assert (bounds["entry_page"].min, bounds["entry_page"].max) == (pages.min(), pages.max())
    assert pq.read_table(codes, filters=[("entry_page", "=", pages[0])]).num_rows == (pages == pages[0]).sum()


def test_events_that_are_left_out_as_bots_do_not_move_the_watermark(tmp_path: Path) -> None:
    pytest.importorskip("crawlerdetect")
    (tmp_path / "log.csv").write_text(
        "user_id,timestamp,user_agent\n"
        "ann,2024-05-30T10:00:00Z,Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0\n"
        "crawler,2024-05-30T20:00:00Z,Googlebot/2.1 (+http://www.google.com/bot.html)\n"
    )
    config = Config(inputs=(str(tmp_path / "log.csv"),), exclude_bots=True)
    manifest = run(config, Output(directory=str(tmp_path / "out"))).manifest
    assert manifest["counts"]["bots"] == 1
    assert manifest["watermark"] == "2024-05-30T10:00:00.000000Z"
    assert manifest["counts"]["active_sessions"] == 1


class Watching(Observer):
    """Notes what it is shown; what it notes adds up."""

    def __init__(self) -> None:
        self.arrived = self.keyed = self.cut = self.sessions = 0
        self.keys_of: list[set[str]] = []
        self.whole: set[Whole] = set()

    def batch(self, events: pl.DataFrame) -> pl.DataFrame:
        assert events["page"].cast(pl.String).to_list() == ["/"] * events.height  # in codes, where these fit
        self.arrived += events.height
        return events.with_columns(seen=pl.col(schema.ROW))

    def keys(self, events: pl.DataFrame) -> None:
        self.keys_of.append(set(events["session_id"].cast(pl.String)))
        self.keyed += int(events["seen"].sum())

    def partition(self, events: pl.DataFrame, sessions: Sessionized, whole: Whole) -> None:
        assert int(sessions.sessions["events"].sum()) == events.height
        self.cut += int(events["seen"].sum())
        self.sessions += sessions.sessions.height
        self.whole.add(whole)


@pytest.mark.parametrize("parts", [0, 3])
def test_an_observer_is_shown_every_event_as_it_arrives_and_with_its_key(parts: int, tmp_path: Path) -> None:
    log: list[Event] = [{"session_id": f"s{n % 7}", "page": "/", "timestamp_us": n} for n in range(20)]
    role, rule = frozenset({"timestamp", "session_id", "page"}), OracleRules()
    plan, frame = plan_of(rule, role), raw_frame(log, role, rule)
    limits = in_files(tmp_path, partitions=(parts, parts)) if parts else IN_MEMORY
    watching = Watching()
    result = sessionize_log(Pieces(frame, 6, ["page"]), plan, limits, observe=[Observer(), watching])
    assert (watching.arrived, watching.keyed, watching.cut, watching.sessions) == (20, 210, 210, 7)
    assert sum(map(len, watching.keys_of)) == len(set.union(*watching.keys_of)) == 7
    assert len(watching.keys_of) == (parts or 1)
    assert watching.whole == {Whole(20, result.stand)}
    assert result.watermark == 19


def test_counts_of_parts_add_up_to_those_of_the_whole() -> None:
    one = Counts(rows_read=3, events=2, rejected=1, rejected_by_reason={"malformed_row": 1})
    other = Counts(rows_read=2, rejected=2, rejected_by_reason={"bad_timestamp": 1, "malformed_row": 1}, sessions=4)
    both = one + other
    assert both.checked() == Counts(
        rows_read=5, events=2, rejected=3, rejected_by_reason={"bad_timestamp": 1, "malformed_row": 2}, sessions=4
    )
    with pytest.raises(AccountingError, match="4 in, 5 accounted for"):
        replace(both, rows_read=4).checked()
