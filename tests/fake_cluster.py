"""A cluster that is a loop: tasks over numbers, a shuffle by sorting, each task sent as bytes, some of them tried twice."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

from sessionize.spark.border import Types, arrow_schema
from sessionize.spark.cluster import Line, Task
from sessionize.spark.lines import LINE


class FakeCluster(NamedTuple):
    """As many tasks side by side as `slots`; batches of `rows`; the first attempt of each task is lost if `retries`; `sorts` as Spark does."""

    slots: int = 3
    rows: int = 4
    retries: bool = False
    sorts: bool = True

    def each(self, number: int | None, task: Task) -> list[Line]:
        return [line for at in range(number or self.slots) for line in self._lines(task, [_number(at)])]

    def shuffled(self, number: int, read: Task, columns: Types, parts: int, cut: Task) -> list[Line]:
        batches = [batch for at in range(number) for batch in self._run(read, [_number(at)])]
        table = pa.Table.from_batches(batches, arrow_schema(columns))
        if self.sorts:
            table = table.sort_by([(f"c{at}", "ascending") for at in range(3)])
        keys = table["c0"].to_pylist()
        homes = [hash(key) % parts for key in keys]
        for home in range(parts) if self.sorts else ():
            assert len({key for key, at in zip(keys, homes, strict=True) if at == home}) == len(
                [key for key, _ in groupby(key for key, at in zip(keys, homes, strict=True) if at == home)]
            )
        masks = [table.filter(pa.array([at == home for at in homes], pa.bool_())) for home in range(parts)]
        return [line for mask in masks for line in self._lines(cut, mask.to_batches(max_chunksize=self.rows))]

    def _lines(self, task: Task, batches: list[Any]) -> list[Line]:
        found = [row for batch in self._run(task, batches) for row in batch.to_pylist()]
        assert all([*row] == [f"c{at}" for at in range(len(LINE))] for row in found)
        return [Line(row["c0"], row["c1"]) for row in found]

    def _run(self, task: Task, batches: list[Any]) -> list[Any]:
        if self.retries:
            list(_sent(task)(iter(batches)))
        return list(_sent(task)(iter(batches)))


def _sent(task: Task) -> Task:
    """The task as another process gets it."""
    found: Task = pickle.loads(pickle.dumps(task))  # noqa: S301
    return found


def _number(at: int) -> Iterator[Any]:
    return pa.record_batch({"id": pa.array([at], pa.int64())})  # type: ignore[no-any-return]
