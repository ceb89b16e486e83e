"""What memory a run may take, and which processors sort faster without AVX-512; neither changes what comes out."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from budget import THOROUGH

from sessionize import limits, machine
from sessionize.limits import Limits
from sessionize.machine import LITTLE

main = import_module("sessionize.cli.main")  # a function has its name, too
ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "sample_data" / "events.csv"
MMAP_THRESHOLD = -3
FEATURES = "fpu avx2 avx512f avx512_vbmi2"


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "CGROUPS", str(tmp_path / "cgroup"))
    monkeypatch.setattr(machine, "OWN_CGROUPS", str(tmp_path / "own"))
    return tmp_path


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_control_groups_there_is_the_machines_memory(groups: Path) -> None:
    assert not list(groups.iterdir())
    assert machine.available() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("own", "files"),
    [
        ("0::/\n", {"memory.max": "1000000\n"}),
        ("0::/system.slice/night.service\n", {"system.slice/night.service/memory.max": "1000000\n"}),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "1000000\n"}),
        ("4:memory:/pod/one\n3:cpu:/\n", {"memory/pod/one/memory.limit_in_bytes": "1000000\n"}),
        ("4:cpu:/pod\n", {"memory/memory.limit_in_bytes": "1000000\n", "pod/memory.max": "5\n"}),
    ],
    ids=["a container", "a service", "a slice around it", "version 1", "version 1 in a container"],
)
def test_the_limit_is_the_least_of_the_control_groups_that_the_process_is_in(
    groups: Path, own: str, files: dict[str, str]
) -> None:
    put(groups / "own", own)
    for name, text in files.items():
        put(groups / "cgroup" / name, text)
    assert machine.available() == 1_000_000


def test_without_a_limit_a_run_takes_four_fifths_of_its_control_group(groups: Path) -> None:
    put(groups / "own", "0::/\n")
    put(groups / "cgroup" / "memory.max", "2000000000\n")
    assert Limits.of() == Limits.of(1_600_000_000)


@pytest.mark.parametrize(
    ("name", "text", "typed", "sparing"),
    [
        ("sessionize.toml", 'timeout = "30m"\n', [], False),
        ("sessionize.toml", 'memory-limit = "600MB"\n', [], True),
        ("pyproject.toml", '[tool.sessionize]\nmemory_limit = "600MB"\n', [], True),
        ("nightly.toml", 'memory-limit = "600MB"\n', [], False),
        ("nightly.toml", 'memory-limit = "600MB"\n', ["--config", "nightly.toml"], True),
        ("nightly.toml", 'memory-limit = "600MB"\n', ["--config=nightly.toml"], True),
        ("nightly.toml", "", ["--config", "missing.toml"], False),
        ("nightly.toml", "", ["--memory-limit", "600MB"], True),
    ],
)
def test_memory_is_given_back_at_once_where_a_limit_is_typed_or_stands_in_a_file(
    name: str, text: str, typed: list[str], sparing: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    put(tmp_path / name, text)
    monkeypatch.chdir(tmp_path if "nightly" in name else tmp_path / "here")
    monkeypatch.setattr(sys, "argv", ["sessionize", "run", "events.csv", *typed])
    monkeypatch.setattr(main, "available", lambda: LITTLE)
    assert (main._allocators() == (main.SPARING_POLARS, main.SPARING_NUMPY)) is sparing


@pytest.mark.parametrize(
    ("there", "limit", "small"), [(LITTLE, None, False), (LITTLE, 10**9, True), (LITTLE - 1, None, True)]
)
def test_where_memory_is_short_blocks_of_text_are_smaller_than_what_is_given_back_at_once(
    there: int, limit: int | None, small: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "available", lambda: there)
    monkeypatch.setattr(main, "available", lambda: there)
    monkeypatch.setattr(sys, "argv", ["sessionize", *(["--memory-limit"] if limit else [])])
    _, allocator = main._allocators()
    assert Limits.of(limit).texts.block_bytes < allocator[MMAP_THRESHOLD]
    assert (allocator == main.SPARING_NUMPY) is small


def cpu(vendor: str, family: int, model: int, flags: str = FEATURES) -> str:
    return f"vendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\nmodel name\t: A B\nflags\t\t: {flags}\n"


@pytest.mark.parametrize(
    ("text", "without"),
    [
        (cpu("AuthenticAMD", 25, 17), True),
        (cpu("AuthenticAMD", 25, 0x61), True),
        (cpu("AuthenticAMD", 26, 17), False),
        (cpu("AuthenticAMD", 25, 1, "fpu avx2"), False),
        (cpu("AuthenticAMD", 25, 17, "fpu avx2"), False),
        (cpu("GenuineIntel", 6, 143), False),
        ("Processor: ARMv8\n", False),
        ("", False),
    ],
    ids=["Zen 4", "Zen 4, a desktop's", "Zen 5", "Zen 3", "masked", "Intel", "ARM", "nothing"],
)
def test_zen_4_sorts_without_avx512(
    text: str, without: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "cpuinfo", text)
    monkeypatch.setattr(machine, "PROCESSORS", str(tmp_path / "cpuinfo"))
    assert machine.processor().sorts_faster_without_avx512 is without


def written(log: Path, out: Path, *options: str, **env: str) -> dict[str, bytes]:
    """What a process of its own writes."""
    command = [sys.executable, "-m", "sessionize", "run", str(log), "-o", str(out), "-q", *options]
    subprocess.run(command, check=True, env={**os.environ, **env}, cwd=ROOT)
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.mark.slow
def test_a_wrong_choice_of_the_sort_changes_no_byte(tmp_path: Path) -> None:
    by_avx512 = written(SAMPLE, tmp_path / "one", NPY_DISABLE_CPU_FEATURES="")
    by_avx2 = written(SAMPLE, tmp_path / "two", NPY_DISABLE_CPU_FEATURES=machine.WITHOUT_AVX512)
    assert by_avx512 == by_avx2


def long_rows(log: Path, sessions_of: int = 5) -> Path:
    """Two hundred megabytes of events of two thousand bytes each, of four days, no two alike."""
    chance = np.random.default_rng(1)
    with log.open("w") as file:
        file.write("session_id,timestamp,event_type,page_url\n")
        for row in range(100_000):
            file.write(
                f"s{row // sessions_of},2026-01-0{1 + row // 25_000}T{row % 86_400 // 3600:02}:00:00Z,page-view,"
            )
            file.write(f"https://example.org/{chance.bytes(1000).hex()}\n")
    return log


def peak(*typed: str) -> int:
    """Bytes of memory that a process of its own takes at most, which may fail of its data (exit 1)."""
    code = (
        "import resource, subprocess, sys; assert subprocess.run(sys.argv[1:], capture_output=True).returncode in (0, 1); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, sys.executable, "-m", "sessionize", *typed, "-q"]
    return 1024 * int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in bytes elsewhere")
def test_long_rows_stay_within_the_limit_and_give_the_same_bytes(tmp_path: Path) -> None:
    log = long_rows(tmp_path / "log.csv")
    free = written(log, tmp_path / "free", "--events")
    whole = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert whole * 1024 > 563_000_000
    assert peak("run", str(log), "-o", str(tmp_path / "kept"), "--events", "--memory-limit", "512MB") < 563_000_000
    kept = {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()}
    assert {name: text for name, text in kept.items() if name != "manifest.json"} == {
        name: text for name, text in free.items() if name != "manifest.json"
    }


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in bytes elsewhere")
def test_long_rows_that_wait_for_their_night_stay_within_the_limit_on_the_way_out_and_in(tmp_path: Path) -> None:
    log, one = long_rows(tmp_path / "log.csv"), tmp_path / "one.csv"
    with log.open() as file:
        one.write_text(file.readline() + file.readline())
    night = ["-o", str(tmp_path / "out"), "--state", str(tmp_path / "state"), "--memory-limit", "512MB"]
    assert peak("run", str(log), *night, "--batch", "2026-01-01", "--until", "2026-01-01T00:30") < 563_000_000
    assert peak("run", str(one), *night, "--batch", "2026-01-02", "--until", "2026-01-05") < 563_000_000
    manifest = json.loads((tmp_path / "out" / "batch=2026-01-02" / "manifest.json").read_text())
    assert manifest["counts"]["carried_in"] == 100_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in bytes elsewhere")
@pytest.mark.parametrize("form", ["parquet", "json"] if THOROUGH else ["parquet"])
def test_an_earlier_run_of_long_rows_is_read_within_the_limit(form: str, tmp_path: Path) -> None:
    log, out = long_rows(tmp_path / "log.csv"), tmp_path / "out"
    written(log, out, "--events", "--format", form)
    limit = ["--memory-limit", "512MB"]
    assert peak("report", str(out), "-o", str(tmp_path / "report.html"), *limit) < 563_000_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in bytes elsewhere")
def test_pages_of_which_none_comes_again_are_counted_within_the_limit(tmp_path: Path) -> None:
    log = long_rows(tmp_path / "log.csv", sessions_of=1)
    assert peak("summary", str(log), "--session-id", "session_id", "--memory-limit", "512MB") < 563_000_000
