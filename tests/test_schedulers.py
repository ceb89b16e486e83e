"""The schedulers that the manual shows, executed as far as this machine has them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from warnings import catch_warnings

import pytest
from console import MANUAL, sessionize

BLOCKS = re.findall(r"^```\w*\n(.*?)^```$", MANUAL["nightly"], re.DOTALL | re.MULTILINE)


def yesterday() -> str:
    """As `date -d yesterday` has it: asked for by each test, as a run of all may go on past midnight."""
    return (date.today() - timedelta(days=1)).isoformat()  # noqa: DTZ011


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """What is /srv/web in the manual."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "sessionize"
    command.write_text(f'#!/bin/sh\necho ran >> {tmp_path}/tries\nexec {sys.executable} -m sessionize "$@"\n')
    command.chmod(0o755)
    (tmp_path / f"logs/{yesterday()}.csv").write_text(f"time,user_id\n{yesterday()}T12:00:00,a\n")
    return tmp_path


def cron(web: Path) -> int:
    """Run the line as cron does: by sh, with nothing but the PATH that stands above it."""
    (block,) = (each for each in BLOCKS if "30 1 * * *  cd" in each)
    path, line = block.splitlines()
    command = line.removeprefix("30 1 * * *  ").replace("\\%", "%").replace("/srv/web", str(web)).replace("600", "0")
    found = path.removeprefix("PATH=").replace("/srv/web/.venv/bin", f"{web}/bin")
    return subprocess.run(["/bin/sh", "-c", command], env={"PATH": found}, check=False, capture_output=True).returncode


@pytest.mark.slow
def test_the_cron_line_runs_the_night_with_the_path_that_stands_there(web: Path) -> None:
    assert cron(web) == 0
    assert (web / f"out/batch={yesterday()}/manifest.json").exists()
    assert (web / "tries").read_text() == "ran\n"


@pytest.mark.slow
def test_the_cron_line_tries_again_where_that_helps_and_only_there(web: Path) -> None:
    log = web / f"logs/{yesterday()}.csv"
    text = log.read_text()
    log.unlink()
    assert cron(web) == 3
    assert (web / "tries").read_text() == "ran\n" * 6
    (web / "tries").unlink()
    log.write_text(text.replace("time,user_id", "at_all,nobody"))
    assert cron(web) == 2
    assert (web / "tries").read_text() == "ran\n"


def test_the_systemd_units_are_units_and_their_command_runs(web: Path) -> None:
    units = {name: each for each in BLOCKS for name in re.findall(r"^# /etc/systemd/system/(\S+?\.service)", each)}
    assert set(units) == {"sessionize@.service", "sessionize.service"}
    (command,) = re.findall(r"^ExecStart=\S+/sessionize (.*)$", units["sessionize@.service"], re.MULTILINE)
    assert sessionize(*command.replace("%i", yesterday()).split(), cwd=web) == (0, "", "")
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here")
    for name, text in units.items():
        there = text.replace("/srv/web/.venv/bin", f"{web}/bin").replace("/srv/web", str(web))
        (web / name.replace("@.", "@2024-05-30.")).write_text(there)
        asked = ["systemd-analyze", "verify", "--man=no", str(web / name.replace("@.", "@2024-05-30."))]
        told = subprocess.run(asked, check=False, capture_output=True, text=True)
        assert name.split(".")[0] not in told.stderr, told.stderr


def dag_source() -> str:
    (found,) = (each for each in BLOCKS if "from airflow" in each)
    return str(found)


class Again(Exception):  # noqa: N818
    """Stands for an error after which Airflow tries again."""


class Never(Again):
    """Stands for one after which it does not."""


def stand_in(monkeypatch: pytest.MonkeyPatch, modules: dict[str, dict[str, Any]]) -> None:
    """Put modules in the place of Airflow's."""
    for name in modules:
        parts = name.split(".")
        for parent in (".".join(parts[:end]) for end in range(1, len(parts) + 1)):
            monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
            vars(sys.modules[parent]).update(modules.get(parent, {}), __path__=[])


@pytest.mark.parametrize("place", ["airflow.providers.standard.operators.python", "airflow.operators.python"])
def test_the_airflow_dag_asks_for_the_day_of_the_interval_and_retries_where_that_helps(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """With stand-ins for what it imports from 3 and 2; where Airflow is installed the next test asks it."""
    made: list[dict[str, Any]] = []

    def dag(name: str, **more: Any) -> AbstractContextManager[None]:
        made.append({"name": name, **more})
        return nullcontext()

    stand_in(monkeypatch, {
        "airflow": {"DAG": dag},
        "airflow.exceptions": {"AirflowException": Again, "AirflowFailException": Never},
        "airflow.timetables.interval": {"CronDataIntervalTimetable": lambda *args, **more: (args, more)},
        place: {"PythonOperator": lambda **more: made.append(more)},
    })  # fmt: skip
    space: dict[str, Any] = {}
    exec(dag_source(), space)  # noqa: S102
    asked, task = made
    assert asked["schedule"] == (("30 1 * * *",), {"timezone": "UTC"})
    assert task["op_args"] == ["{{ data_interval_start | ds }}"]

    def raised(code: int) -> type | None:
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=code))
        try:
            task["python_callable"]("2024-05-30")
        except Again as error:
            return type(error)
        return None

    assert [raised(code) for code in (0, 1, 2, 70, 3, 4, 5, 143)] == [None, None, Never, Never, *[Again] * 4]


def test_airflow_itself_reads_the_dag_and_gives_it_the_day_before() -> None:
    pytest.importorskip("airflow")
    space: dict[str, Any] = {}
    exec(dag_source(), space)  # noqa: S102
    timetable = space["CronDataIntervalTimetable"]("30 1 * * *", timezone="UTC")
    restriction = import_module("airflow.timetables.base").TimeRestriction(
        earliest=datetime(2024, 5, 1, tzinfo=UTC), latest=None, catchup=True
    )
    found = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    assert found.data_interval.start.date() == date(2024, 5, 1)
    assert found.run_after.date() == date(2024, 5, 2)


def dagster_source() -> str:
    (found,) = (each for each in BLOCKS if "from dagster" in each)
    return str(found)


def test_the_dagster_asset_runs_a_night_after_the_one_before_it_and_tries_again_where_that_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With stand-ins for what it imports; where Dagster is installed the next test asks it."""
    asked: dict[str, Any] = {}

    def noted(name: str) -> Any:
        return lambda *args, **more: asked.setdefault(name, (args, more))

    def asset(**more: Any) -> Any:
        asked["asset"] = more
        return lambda function: function

    names = ("AssetDep", "DailyPartitionsDefinition", "Definitions", "TimeWindowPartitionMapping", "define_asset_job",
             "build_schedule_from_partitioned_job")  # fmt: skip
    stand_in(monkeypatch, {"dagster": {
        **{name: noted(name) for name in names}, "asset": asset, "Failure": refusing(Never), "RetryRequested": refusing(Again),
        "DefaultScheduleStatus": SimpleNamespace(RUNNING="running"),
    }})  # fmt: skip
    space: dict[str, Any] = {}
    exec(dagster_source(), space)  # noqa: S102
    assert asked["TimeWindowPartitionMapping"][1] == {"start_offset": -1, "end_offset": -1}
    assert asked["AssetDep"][0] == ("sessions",)
    typed: list[list[str]] = []

    def raised(code: int) -> type | None:
        def called(line: list[str], **_: object) -> SimpleNamespace:
            typed.append(line)
            return SimpleNamespace(returncode=code)

        monkeypatch.setattr(subprocess, "run", called)
        try:
            space["sessions"](SimpleNamespace(partition_key="2024-05-30"))
        except Again as error:
            return type(error)
        return None

    assert [raised(code) for code in (0, 1, 2, 70, 3, 4, 5, 143)] == [None, None, Never, Never, *[Again] * 4]
    assert typed[0][2:4] == ["logs/2024-05-30.csv", "-o"]


def refusing(kind: type[Exception]) -> Any:
    """An error that takes whatever is said of it."""
    return lambda *_, **__: kind()


def test_dagster_itself_reads_the_asset_and_its_schedule_runs_yesterday() -> None:
    dagster = pytest.importorskip("dagster")
    space: dict[str, Any] = {}
    with catch_warnings(action="ignore"):
        exec(dagster_source(), space)  # noqa: S102
        tick = dagster.build_schedule_context(scheduled_execution_time=datetime(2024, 5, 31, 1, 30, tzinfo=UTC))
        schedule = space["defs"].get_schedule_def(space["nightly"].name)
        (request,) = schedule.evaluate_tick(tick).run_requests
    assert request.partition_key == "2024-05-30"


@pytest.mark.slow
def test_the_kubernetes_cron_job_is_one_and_its_command_runs_a_night(web: Path) -> None:
    yaml = pytest.importorskip("yaml")
    (block,) = (each for each in BLOCKS if "kind: CronJob" in each)
    job = yaml.safe_load(block)
    spec = job["spec"]["jobTemplate"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert (job["apiVersion"], job["spec"]["concurrencyPolicy"]) == ("batch/v1", "Forbid")
    assert rule["onExitCodes"] == {"containerName": container["name"], "operator": "In", "values": [2, 70]}
    assert spec["template"]["spec"]["restartPolicy"] == "Never"  # a pod's failure policy needs it
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        each["name"] for each in spec["template"]["spec"]["volumes"]
    }
    shell, flag, command = container["command"]
    path = {"PATH": f"{web}/bin:/usr/bin:/bin"}

    def code() -> int:
        return subprocess.run([shell, flag, command], cwd=web, env=path, check=False, capture_output=True).returncode

    assert code() == 0
    assert (web / f"out/batch={yesterday()}/manifest.json").exists()
    log = web / f"logs/{yesterday()}.csv"
    (web / f"logs/{yesterday()}.csv").write_text(log.read_text().replace(",a\n", ",\n") + f"{yesterday()}T13:00:00,b\n")
    assert code() == 2  # other bytes: someone must look
    shutil.rmtree(web / "out")
    shutil.rmtree(web / "state")
    assert code() == 0  # half of the rows are rejected, exit 1: the night is complete
    log.unlink()
    assert code() == 3
