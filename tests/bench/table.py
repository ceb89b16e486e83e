"""How fast, beside what else does the same: ``python tests/bench/table.py [--events 10000000] [--rounds 3]``.

Every number is of whole processes, start and all; of those that are compared, one runs after the other, round by round,
and ratios are medians of the rounds'. The logs are made once and kept.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata, util
from pathlib import Path
from statistics import median
from typing import NamedTuple

from sessionize.machine import WITHOUT_AVX512, processor

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PEERS = {"duckdb": "DuckDB", "chdb": "chDB"}
POLARS_ENGINES = ("in-memory", "streaming")
MEMORY_LIMITS = ((3, "2GB", "≤ 3, RSS ≤ 2.4 GB", "≤ 2, RSS ≤ 2.0 GB"), (10, "4GB", "RSS ≤ 4.6 GB", "linear"))
"""Times as many events, in how much memory, and what the targets are."""
AS_INSTALLED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""What is measured is not Python compiling the same modules in every process."""
Command = list[str]


class Spent(NamedTuple):
    """What one process took.

    Attributes:
        wall: Seconds.
        cpu: Seconds of all threads.
        memory: Bytes at the peak.
    """

    wall: float
    cpu: float
    memory: float


class Row(NamedTuple):
    """A line of the table; targets are empty where there are none."""

    what: str
    seconds: str
    measured: str
    at_least: str = ""
    aim: str = ""
    memory: str = ""


def spent(command: Command) -> Spent:
    """Run it once.

    Raises:
        RuntimeError: If it fails.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        # Not Popen.wait, which does not tell what the process took.
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, cwd=ROOT, env=AS_INSTALLED)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)} → {process.returncode}\n{said.read().decode()[-2_000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Spent(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit)


def interleaved(commands: Mapping[str, Command], rounds: int) -> dict[str, list[Spent]]:
    """What each took, round by round."""
    found: dict[str, list[Spent]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            found[name].append(spent(command))
            print(f"  {name}, round {number + 1}: {found[name][-1].wall:.2f} s", file=sys.stderr)
    return found


def ratio(of: Sequence[Spent], to: Sequence[Spent]) -> float:
    """The median of the rounds' ratios of wall time."""
    return median(one.wall / other.wall for one, other in zip(of, to, strict=True))


def wall(runs: Sequence[Spent]) -> str:
    """Median, least and most."""
    walls = sorted(run.wall for run in runs)
    return f"{median(walls):.2f} ({walls[0]:.2f} to {walls[-1]:.2f})"


def memory(runs: Sequence[Spent]) -> str:
    """The most of all runs."""
    return f"{max(run.memory for run in runs) / 1e9:.2f} GB"


class Bench:
    """The table's parts.

    Args:
        asked: The command line.
    """

    def __init__(self, asked: argparse.Namespace) -> None:
        self._asked = asked
        self._folder: Path = asked.data
        self._folder.mkdir(parents=True, exist_ok=True)
        self._peers = [] if asked.no_peers else [name for name in PEERS if util.find_spec(name)]

    def rows(self) -> list[Row]:
        """All of them."""
        return [
            *self._in_order(),
            *self._sorts(),
            *self._shuffled(),
            *self._csv(),
            *self._limits(),
            *self._hot(),
            *self._ladder(),
            *self._small(),
            *self._nights(),
            *self._check(),
            *self._ndjson(),
            *self._answers(),
            *self._start(),
        ]

    def versions(self) -> str:
        """Of what was run."""
        names = ["sessionize", "polars", "pyarrow", "numpy", *self._peers]
        return ", ".join(f"{name} {metadata.version(name)}" for name in names)

    def _log(self, kind: str, events: int, *options: str, text: str = "") -> Path:
        path = self._folder / f"{kind}-{events}.parquet"
        wanted = path.with_suffix(f".{text}") if text else path
        if not wanted.exists():
            print(f"making {wanted.name}", file=sys.stderr)
            more = [f"--{text}", str(wanted)] if text else []
            spent([sys.executable, str(HERE / "events.py"), str(events), str(path), *options, *more])
        return wanted

    def _text(self, kind: str) -> Path:
        """The log as text."""
        return self._log("log", self._asked.events, text=kind)

    def _ours(self, log: Path, *options: str, records: bool = False) -> Command:
        kept = [] if records else ["--no-sessions"]
        out = self._folder / ("out-records" if records else "out")
        return [sys.executable, "-m", "sessionize", "run", str(log), "-o", str(out), "-q", *kept, *options]

    def _peer(self, name: str, *paths: Path) -> Command:
        out = self._folder / f"{name}.parquet"
        return [sys.executable, str(HERE / "peers" / f"{name}.py"), *map(str, paths), str(out)]

    def _compared(self, what: str, log: Path, targets: Mapping[str, tuple[str, str]]) -> list[Row]:
        """Against the peers that there are targets for."""
        there = [name for name in self._peers if name in targets]
        found = interleaved(
            {"ours": self._ours(log), **{each: self._peer(f"with_{each}", log) for each in there}}, self._asked.rounds
        )
        rows = [Row(f"ours, {what}", wall(found["ours"]), "", memory=memory(found["ours"]))]
        return rows + [
            Row(f"{PEERS[name]} / ours, {what}", wall(found[name]), f"{ratio(found[name], found['ours']):.2f}", *targets[name], memory(found[name]))
            for name in there
        ]  # fmt: skip

    def _in_order(self) -> list[Row]:
        log = self._log("log", self._asked.events)
        rows = self._compared("Parquet, log order", log, {"duckdb": ("3.8", "5"), "chdb": ("2.2", "3")})
        others = {"floor": self._peer("floor", log, self._folder / "out" / "metrics.parquet")}
        if not self._asked.no_peers:
            for engine in POLARS_ENGINES:
                others[f"naive Polars ({engine})"] = [*self._peer("with_polars", log), engine]
        found = interleaved(
            {"ours": self._ours(log), "both": self._ours(log, records=True), **others}, self._asked.rounds
        )
        targets = {"naive Polars (in-memory)": ("5", "6.5"), "floor": ("0.62", "0.75")}
        rows += [
            Row(f"{name} / ours, Parquet, log order", wall(found[name]), f"{ratio(found[name], found['ours']):.2f}", *targets.get(name, ("", "")), memory(found[name]))
            for name in others
        ]  # fmt: skip
        times = ratio(found["both"], found["ours"])
        return [
            *rows,
            Row("Session records and metrics / metrics", wall(found["both"]), f"{times:.2f}", "≤ 1.2", "≤ 1.1", memory(found["both"])),
            Row("peak memory, metrics", wall(found["ours"]), memory(found["ours"]), "≤ 2.0 GB", "≤ 1.2 GB", memory(found["ours"])),
        ]  # fmt: skip

    def _sorts(self) -> list[Row]:
        """NumPy's two sorts: one is chosen by the processor, see `sessionize.machine`."""
        ours = self._ours(self._log("log", self._asked.events))
        names = {"by AVX-512": "", "by AVX2": WITHOUT_AVX512}
        found = interleaved(
            {name: ["env", f"NPY_DISABLE_CPU_FEATURES={without}", *ours] for name, without in names.items()},
            self._asked.rounds,
        )
        chosen = found["by AVX2" if processor().sorts_faster_without_avx512 else "by AVX-512"]
        return [
            Row(f"sorts {name} / as chosen", wall(runs), f"{ratio(runs, chosen):.2f}", memory=memory(runs))
            for name, runs in found.items()
        ]

    def _shuffled(self) -> list[Row]:
        log = self._log("shuffled", self._asked.events, "--shuffled")
        return self._compared("Parquet, shuffled", log, {"duckdb": ("3.0", "4")})

    def _csv(self) -> list[Row]:
        log = self._text("csv")
        return self._compared("CSV", log, {"duckdb": ("2.3", "3")})

    def _limits(self) -> list[Row]:
        rows = []
        for times, limit, at_least, aim in MEMORY_LIMITS:
            if times > self._asked.most_times:
                continue
            log = self._log("log", times * self._asked.events)
            found = interleaved(
                {"free": self._ours(log), "limited": self._ours(log, "--memory-limit", limit)}, self._asked.rounds
            )
            measured = f"{ratio(found['limited'], found['free']):.2f} times the unlimited time"
            rows.append(
                Row(
                    f"{times} times the events, --memory-limit {limit}",
                    wall(found["limited"]),
                    measured,
                    at_least,
                    aim,
                    memory(found["limited"]),
                )
            )
        return rows  # fmt: skip

    def _hot(self) -> list[Row]:
        even, hot = self._log("log", self._asked.events), self._log("hot", self._asked.events, "--hot", "0.3")
        found = interleaved({"even": self._ours(even), "hot": self._ours(hot)}, self._asked.rounds)
        times = ratio(found["hot"], found["even"])
        return [
            Row(
                "one key with 30 % of the rows / none",
                wall(found["hot"]),
                f"{times:.2f}",
                "< 2",
                "< 1.3",
                memory(found["hot"]),
            )
        ]

    def _ladder(self) -> list[Row]:
        sizes = [self._asked.events // 10, self._asked.events, 3 * self._asked.events]
        logs = {
            f"{size:,}": self._ours(self._log("log", size))
            for size in sizes
            if size <= self._asked.most_times * self._asked.events
        }
        found = interleaved(logs, self._asked.rounds)
        each = [median(run.wall for run in runs) / int(size.replace(",", "")) * 1e6 for size, runs in found.items()]
        rows = [
            Row(f"ours, {size} events", wall(runs), f"{micros:.3f} µs an event", memory=memory(runs))
            for (size, runs), micros in zip(found.items(), each, strict=True)
        ]
        return [*rows, Row("time an event, largest log / smallest", "", f"{each[-1] / each[0]:.2f}", "< 1.3", "flat")]

    def _small(self) -> list[Row]:
        """A million events, and a hundred thousand, where starting counts."""
        rounds = max(5, self._asked.rounds)
        log = self._log("log", self._asked.events // 10)
        found = interleaved(
            {"ours": self._ours(log), **{name: self._peer(f"with_{name}", log) for name in self._peers}}, rounds
        )
        targets = {"duckdb": ("2.2", "3"), "chdb": ("1.6", "2")}
        rows = [
            Row(f"{PEERS[name]} / ours, a tenth", wall(found[name]), f"{ratio(found[name], found['ours']):.2f}", *targets[name], memory(found[name]))
            for name in self._peers
        ]  # fmt: skip
        log = self._log("log", self._asked.events // 100)
        found = interleaved(
            {"ours": self._ours(log), **{name: self._peer(f"with_{name}", log) for name in self._peers}}, rounds
        )
        if not self._peers:
            return rows
        quicker = min(self._peers, key=lambda name: median(run.wall for run in found[name]))
        times = ratio(found["ours"], found[quicker])
        what = f"ours / {PEERS[quicker]} (the quicker), a hundredth"
        return [*rows, Row(what, wall(found["ours"]), f"{times:.2f}", "≤ 1.15", "≤ 1.0", memory(found["ours"]))]

    def _nights(self) -> list[Row]:
        """The first night of a new state, beside the same run without one."""
        log = self._log("log", self._asked.events // 10)
        found = interleaved(
            {"once": self._ours(log), "night": [sys.executable, str(HERE / "night.py"), str(log), str(self._folder)]},
            max(5, self._asked.rounds),
        )
        times = ratio(found["night"], found["once"])
        return [Row("a night of a tenth / a run", wall(found["night"]), f"{times:.2f}", "≤ 1.5", "≤ 1.2", memory(found["night"]))]  # fmt: skip

    def _versus_run(self, what: str, log: Path, *command: str, targets: tuple[str, str]) -> list[Row]:
        """Another command on the same log, beside a run."""
        found = interleaved(
            {"run": self._ours(log), what: [sys.executable, "-m", "sessionize", *command]}, self._asked.rounds
        )
        times = ratio(found[what], found["run"])
        return [Row(f"{what} / run --no-sessions", wall(found[what]), f"{times:.2f}", *targets, memory(found[what]))]

    def _check(self) -> list[Row]:
        log = self._log("log", self._asked.events)
        return self._versus_run("check", log, "check", str(log), "-q", targets=("≤ 1.0", "≤ 0.7"))

    def _answers(self) -> list[Row]:
        log = self._log("log", self._asked.events)
        return [
            *self._versus_run("summary", log, "summary", str(log), "-q", targets=("≤ 1.0", "")),
            *self._versus_run("timeout", log, "timeout", str(log), "-q", targets=("< 2", "")),
        ]

    def _ndjson(self) -> list[Row]:
        commands = {kind: self._ours(self._text(kind)) for kind in ("csv", "ndjson")}
        found = interleaved(commands, self._asked.rounds)
        times = ratio(found["ndjson"], found["csv"])
        return [Row("NDJSON / CSV", wall(found["ndjson"]), f"{times:.2f}", "≤ 1.3", "≤ 1", memory(found["ndjson"]))]

    def _start(self) -> list[Row]:
        command = [sys.executable, "-m", "sessionize"]
        rounds = max(5, self._asked.rounds)
        found = interleaved({option: [*command, option] for option in ("--help", "--version")}, rounds)
        rows = [
            Row(option, wall(runs), f"{median(run.wall for run in runs):.3f} s", "< 0.2 s", "< 0.1 s", memory(runs))
            for option, runs in found.items()
        ]
        imports = [sys.executable, "-c", "import polars, numpy"]
        found = interleaved({"run": self._ours(ROOT / "sample_data" / "events.csv"), "import": imports}, rounds)
        times = ratio(found["run"], found["import"])
        what = "the sample / importing polars and numpy"
        return [*rows, Row(what, wall(found["run"]), f"{times:.2f}", "≤ 1.5", "≤ 1.25", memory(found["run"]))]


def printed(rows: Sequence[Row]) -> str:
    """As a Markdown table."""
    head = ("", "seconds: median (least to most)", "measured", "at least", "aim", "peak memory")
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """What it ran on."""
    memory_there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = processor()
    sort = "NumPy sorts by AVX2" if found.sorts_faster_without_avx512 else "NumPy sorts as it chooses"
    name = f"{found.name or platform.processor() or platform.machine()} (family {found.family}, model {found.model}; {sort})"
    return f"{name}, {os.cpu_count()} cores, {memory_there:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    """Make the logs that are not there, run everything, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000, help="of the log (default: 10000000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run (default: 3)")
    parser.add_argument(
        "--most-times", type=int, default=3, help="largest log, in times the events; 10 adds the 4GB run (default: 3)"
    )
    parser.add_argument("--no-peers", action="store_true", help="only this tool and the floor")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(tempfile.gettempdir()) / "sessionize-bench",
        help="where logs are kept (default: %(default)s)",
    )
    bench = Bench(parser.parse_args())
    before = os.getloadavg()[0]
    table = printed(bench.rows())
    print(
        f"{machine()}\n{bench.versions()}\n{datetime.now(UTC):%Y-%m-%d}; load before {before:.1f}, after {os.getloadavg()[0]:.1f}\n\n{table}"
    )


if __name__ == "__main__":
    main()
