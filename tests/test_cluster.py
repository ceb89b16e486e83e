"""The functions that a cluster runs, in a loop in place of one: the rows of one machine, in its order, whatever is cut where."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import polars as pl
import pytest
from budget import examples
from clustered import LOGS, both, passive_text, sample, ties, types
from console import SAMPLE, sessionize
from engine import plan_of, raw_frame
from fake_cluster import FakeCluster
from hypothesis import given
from hypothesis import strategies as st
from nights import IN_MEMORY, Pieces
from oracle import Event, OracleRules
from polars.testing import assert_frame_equal
from strategies import logs, roles, rules

from sessionize import Config, Output, run
from sessionize.engine.pipeline import sessionize_log
from sessionize.errors import AccountingError, InputError, MachineError, UsageError
from sessionize.kernel.metrics import METRIC_NAMES
from sessionize.limits import Limits
from sessionize.read import Rows
from sessionize.read.shares import Share
from sessionize.read.source import LogFile
from sessionize.spark import cluster as clusters
from sessionize.spark import job, work
from sessionize.spark.arriving import UNSORTED
from sessionize.spark.border import Types, arrow_schema, decoded, encoded
from sessionize.spark.cluster import Line, Task
from sessionize.spark.cutting import CutSessions
from sessionize.spark.lines import ShareDone, heard, line
from sessionize.spark.merging import Target
from sessionize.spark.sizes import USUAL_SIZES, Sizes
from sessionize.spark.tasks import Look
from sessionize.spark.work import Work

CSV = SAMPLE / "events.csv"


class Shared(Pieces):
    """A frame as a log of many shares of some rows."""

    files: Sequence[LogFile] = (LogFile("log.csv", "csv", 0, 0, None),)

    def shares(self, rows: int) -> list[Share]:  # noqa: ARG002
        starts = range(len(self._pieces))
        return [Share(0, start, 1, SharedPart(piece)) for start, piece in zip(starts, self._pieces, strict=True)]


class SharedPart(NamedTuple):
    """A share of a frame."""

    rows: Rows

    def batches(self, limits: Limits) -> Iterator[Rows]:  # noqa: ARG002
        yield self.rows._replace(held=frozenset(), dictionaries=lambda _: {})

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select("sessionize.file", "sessionize.row").with_columns(raw=pl.lit(""))

    def reading(self) -> Any:
        return pytest.MonkeyPatch.context()

    def __reduce__(self) -> tuple[Any, ...]:
        return _part_of, (self.rows.frame.collect(),)


def _part_of(frame: pl.DataFrame) -> SharedPart:
    return SharedPart(Rows(frame.lazy()))


@pytest.mark.slow
@examples(100, 9)
@given(
    logs(), rules(), roles(), st.integers(1, 7), st.integers(1, 5), st.integers(1, 4), st.integers(1, 9), st.booleans()
)
def test_however_a_log_is_shared_and_shuffled_the_sessions_are_those_of_one_machine(  # noqa: PLR0917 - what varies
    log: list[Event], rule: OracleRules, role: frozenset[str], share: int, parts: int, batch: int, most: int,
    retries: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    plan, frame = plan_of(rule, role), raw_frame(log, role, rule)
    one = sessionize_log(Pieces(frame), plan, IN_MEMORY, assign=True)
    batches = list(one.batches)
    whole = pl.concat(each.sessions.select(METRIC_NAMES) for each in batches)
    cluster = FakeCluster(parts, batch, retries=retries)
    sizes = Sizes(range_sessions=1, line_bytes=0 if retries else 1 << 20, lot_rows=most, step=2)
    with TemporaryDirectory() as folder:
        asked = Work(cluster, Shared(frame, share), plan, folder, events=True, sizes=sizes)
        cut = work.sessions_cut(asked, parts)
        made = work.merged(asked, cut, Output(directory="out", sessions=False, events=True), Target(folder))
        found, events = (
            pl.concat(pl.read_parquet(each.files[f"{name}.parquet"].path) for each in made)
            for name in ("metrics", "events")
        )
    whole_events = pl.concat(each.events for each in batches if each.events is not None)
    assert_frame_equal(events, _texts(whole_events))
    assert_frame_equal(
        found.with_columns(pl.col("value").round(6)), _texts(whole).with_columns(pl.col("value").round(6))
    )
    assert job._counted(cut.result, made).counts == one.counts
    assert_frame_equal(cut.result.rejected, one.rejected)
    assert cut.result.watermark == one.watermark


def _texts(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


@pytest.mark.parametrize("events", [False, True])
@pytest.mark.slow
@pytest.mark.parametrize("log", LOGS)
def test_a_run_on_a_cluster_leaves_the_rows_counts_and_notes_of_one_machine(
    log: Any, events: bool, tmp_path: Path  # noqa: FBT001
) -> None:  # fmt: skip
    (tmp_path / "log").mkdir()
    # Of three thousand rows, shares of three rows would be a thousand tasks; of the small logs they cut sessions.
    sizes = (
        Sizes(range_sessions=40, share_rows=40, lot_rows=60)
        if log is sample
        else Sizes(range_sessions=20, share_rows=3, lot_rows=5)
    )
    both(log(tmp_path / "log"), tmp_path, FakeCluster(4, 7, retries=True), events=events, sizes=sizes)


def test_passive_events_in_no_session_lie_among_the_rejected_rows_of_every_file(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    both(passive_text(tmp_path / "log"), tmp_path, FakeCluster(3, 9))
    told = pl.read_ndjson(tmp_path / "many" / "rejected.ndjson").with_columns(pl.col("file").str.split("/").list.last())
    assert sorted(told.group_by("file", "reason").len().select("file", "reason").rows()) == [
        (f"{number}.csv", reason) for number in range(3) for reason in ("bad_timestamp", "passive_alone")
    ]


def test_the_events_of_a_run_on_a_cluster_are_read_by_the_other_commands(tmp_path: Path) -> None:
    both(Config(inputs=(str(CSV),)), tmp_path, FakeCluster(3, 500), events=True)
    for command, *options in (("show", "--longest"), ("paths",), ("check",)):
        one, many = (sessionize(command, tmp_path / each, *options, "--json", cwd=tmp_path) for each in ("one", "many"))
        assert (one.code, one.err) == (many.code, many.err.replace("many", "one"))
        assert json.loads(many.out.replace("/many", "/one")) == json.loads(one.out)


@pytest.mark.slow
def test_parts_of_ndjson_one_behind_the_other_are_the_file_of_one_machine(tmp_path: Path) -> None:
    more = {"form": "ndjson", "partitions": 5, "events": True, "sizes": Sizes(range_sessions=100)}
    both(sample(tmp_path), tmp_path, FakeCluster(4, 500), **more)
    assert len([*(tmp_path / "many" / "metrics").iterdir()]) > 3


def test_the_parts_of_a_run_are_read_by_the_other_commands_as_its_one_file(tmp_path: Path) -> None:
    both(Config(inputs=(str(CSV),)), tmp_path, FakeCluster(3, 500))
    for command in (("summary",), ("check",)):
        one, many = (sessionize(*command, tmp_path / each, "--json", cwd=tmp_path) for each in ("one", "many"))
        assert (one.code, one.err) == (many.code, many.err.replace("many", "one"))
        assert json.loads(many.out.replace("/many", "/one")) == json.loads(one.out)


@pytest.mark.slow
def test_a_run_on_one_machine_takes_the_place_of_one_on_a_cluster_and_the_other_way_round(tmp_path: Path) -> None:
    config, output = Config(inputs=(str(CSV),)), Output(directory=str(tmp_path / "out"))
    job.run(config, output, FakeCluster())
    run(config, output)
    one = {path.name for path in (tmp_path / "out").iterdir()}
    job.run(config, output, FakeCluster())
    assert one == {".sessionize.lock", "manifest.json", "metrics.parquet", "rejected.ndjson", "sessions.parquet"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        ".sessionize.lock", "manifest.json", "metrics", "rejected.ndjson", "sessions",
    }  # fmt: skip


def on_cluster(config: Config, output: Output) -> Any:
    return job.run(config, output, FakeCluster())


class OtherVersions(FakeCluster):
    """A cluster on which one machine has another version of something."""

    def _lines(self, task: Task, batches: list[Any]) -> list[Line]:
        found = super()._lines(task, batches)
        late = not isinstance(task, Look)
        return [each._replace(versions="sessionize 0") for each in found] if late else found


class Blind(FakeCluster):
    """A cluster whose machines do not see the output."""

    def each(self, number: int | None, task: Task) -> list[Line]:
        if isinstance(task, Look):
            task = Look((*task.needed, "/nowhere"))
        return super().each(number, task)


class Losing(FakeCluster):
    """A cluster that loses what a share came to."""

    def _lines(self, task: Task, batches: list[Any]) -> list[Line]:
        found = super()._lines(task, batches)
        if not isinstance(task, CutSessions):
            return found
        said = [heard(each.said) for each in found]
        kept = [each._replace(shares=tuple(it for it in each.shares if not isinstance(it, ShareDone))) for each in said]
        rows = [row for each in kept for row in line(each, "", USUAL_SIZES.line_bytes).to_pylist()]
        return [Line(row["c0"], row["c1"]) for row in rows]


@pytest.mark.slow
def test_an_engine_that_does_not_sort_gives_the_same_rows_where_it_is_known_and_no_wrong_ones_where_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = FakeCluster(3, 500, sorts=False)
    with pytest.raises(MachineError, match="rows came out of order"):
        job.run(Config(inputs=(str(CSV),)), Output(directory=str(tmp_path / "many")), cluster)
    assert not (tmp_path / "many" / "manifest.json").exists()
    monkeypatch.setitem(sys.modules, UNSORTED, sys)
    both(Config(inputs=(str(CSV),)), tmp_path, cluster)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cluster", "error", "said"),
    [
        (OtherVersions(), MachineError, "a machine of the cluster has sessionize 0, here there is sessionize"),
        (Blind(), MachineError, "/nowhere is not seen by the machine"),
        (Losing(), AccountingError, "1 shares of the log were to be read, 0 were"),
    ],
)
def test_a_cluster_that_cannot_be_relied_on_is_refused_and_the_earlier_run_stays(
    cluster: FakeCluster, error: type[Exception], said: str, tmp_path: Path
) -> None:
    config, output = Config(inputs=(str(CSV),)), Output(directory=str(tmp_path))
    run(config, output)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(error, match=said):
        job.run(config, output, cluster)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_damage_that_a_task_finds_is_said_as_on_one_machine(tmp_path: Path) -> None:
    config = ties(tmp_path)
    content = (tmp_path / "2.parquet").read_bytes()
    (tmp_path / "2.parquet").write_bytes(content[:4] + b"\xff" * 60 + content[64:])
    messages = []
    for runs in (run, on_cluster):
        with pytest.raises(InputError) as caught:
            runs(config, Output(directory=str(tmp_path / "out")))
        messages.append(caught.value.message)
    assert messages[0].partition(":")[0] == messages[1].partition(":")[0] == str(tmp_path / "2.parquet")


def test_a_log_without_an_event_is_refused_with_the_message_of_one_machine(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,time\nann,soon\nbob,later\n")
    config = Config(inputs=(str(tmp_path / "log.csv"),), time_format="iso")
    said = []
    for runs in (run, on_cluster):
        with pytest.raises(InputError) as caught:
            runs(config, Output(directory=str(tmp_path / "out")))
        said.append((caught.value.message, caught.value.hint))
    assert said[0] == said[1]


def test_what_comes_back_over_the_border_is_what_went(tmp_path: Path) -> None:
    types(tmp_path)
    frame = pl.read_parquet(tmp_path / "log.parquet")
    kinds: Types = {name: pl.String() if dtype == pl.Categorical else dtype for name, dtype in frame.schema.items()}
    batches = list(encoded(frame, kinds))
    assert all(batch.schema.equals(arrow_schema(kinds)) for batch in batches)
    assert batches[0].schema.names == [f"c{place}" for place in range(len(kinds))]
    assert_frame_equal(pl.concat(decoded(batch, kinds) for batch in batches), _texts(frame))


def test_a_column_that_a_frame_lacks_is_null_on_the_other_side_and_others_keep_their_places() -> None:
    kinds: Mapping[str, pl.DataType] = {"b.x": pl.Int64(), "a": pl.String(), "c": pl.List(pl.UInt32())}
    batch = next(encoded(pl.DataFrame({"more": [1], "a": ["x"]}), kinds))
    assert decoded(batch, kinds).to_dict(as_series=False) == {"b.x": [None], "a": ["x"], "c": [None]}


REFUSED = {
    "--format json": ("--format", "json"),
    "--format csv": ("--format", "csv"),
    "--memory-limit": ("--memory-limit", "1GB"),
    "--state": ("--state", "s", "--batch", "2024-05-30"),
    "--check": ("--check",),
    "--check-first": ("--check-first",),
    "--dry-run": ("--dry-run",),
    "--master and --remote": ("--master", "local", "--remote", "sc://h"),
    "--partitions": ("--partitions", "0"),
}


@pytest.mark.parametrize(("named", "options"), REFUSED.items(), ids=REFUSED.keys())
def test_what_does_not_go_with_spark_is_exit_2_and_names_the_way_round(
    named: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    done = sessionize("run", CSV, "-o", "out", "--engine", "spark", *options, cwd=tmp_path)
    assert (done.code, done.out, list(tmp_path.iterdir())) == (2, "", [])
    assert named in done.err
    assert "hint" in done.err


@pytest.mark.parametrize("option", [("--master", "local"), ("--remote", "sc://h"), ("--partitions", "2")])
def test_an_option_of_a_cluster_without_one_is_exit_2(option: tuple[str, str], tmp_path: Path) -> None:
    done = sessionize("run", CSV, "-o", "out", *option, cwd=tmp_path)
    assert (done.code, f"{option[0]} is for a cluster" in done.err) == (2, True)


def test_without_the_extra_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "find_spec", lambda _: None)
    done = sessionize("run", CSV, "-o", "out", "--engine", "spark", cwd=tmp_path)
    assert (done.code, "pip install 'sessionize[spark]'" in done.err) == (2, True)


def test_without_java_it_is_said_and_where_spark_connect_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "find_spec", lambda _: "there")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    with pytest.raises(MachineError, match="needs Java 17"):
        clusters.check_installed()
    clusters.check_installed("sc://host")


def test_a_pipe_is_refused_as_no_other_machine_can_read_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="- is a pipe"):
        job._refuse_pipes(_Piped())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


class _Piped(NamedTuple):
    files: tuple[LogFile, ...] = (LogFile("-", "csv", 1, None, "digest"),)


@pytest.mark.parametrize(("sizes", "most", "tasks"), [([1] * 9, 3, [3, 3, 3]), ([100, 1, 1], 2, [1, 2]), ([5], 8, [1])])
def test_shares_are_tasks_of_about_one_size_and_keep_their_order(sizes: list[int], most: int, tasks: list[int]) -> None:
    shares = [Share(at, 0, size, None) for at, size in enumerate(sizes)]
    groups = work.grouped(shares, most)
    assert [share for group in groups for share in group] == shares
    assert [len(group) for group in groups] == tasks
