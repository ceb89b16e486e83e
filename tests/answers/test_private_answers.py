"""With ``--hash-ids`` and ``--ip`` no answer, no report and no hint shows an id or an address of the log."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import polars as pl
import pytest
from console import sessionize as command

import sessionize
from sessionize.errors import UsageError
from sessionize.kernel.privacy import digest

KEY = b"0123456789abcdef"
SECRETS = ("SECRET", "77001", "192.0.2.1", "192.0.2.2", "198.51.100.7")
PRIVATE = ("--hash-ids", "key", "--ip", "truncate")


@pytest.fixture(params=["csv", "ndjson", "parquet"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Two people; ids of several kinds, one that plays no role, and addresses."""
    rows = pl.DataFrame({
        "session_id": ["SECRETs1", "SECRETs1", "SECRETs2", "SECRETs2", None],
        "user_id": ["SECRETann", "SECRETann", "SECRETbob", "SECRETbob", "SECRETbob"],
        "visitor_id": [77001, 77001, 77001, 77001, 77001],
        "timestamp": [f"2024-05-30 0{number}:00:00" for number in (1, 1, 2, 2, 9)],
        "event_type": ["page", "click", "page", "page", "page"],
        "ip": ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.2"],
        "client_host": ["198.51.100.7"] * 5,
    })  # fmt: skip
    name = f"log.{request.param}"
    getattr(rows, f"write_{request.param}")(tmp_path / name)
    (tmp_path / "key").write_bytes(KEY)
    return name


def whole(tmp_path: Path, *typed: str) -> str:
    """All that a command says and writes."""
    done = command(*typed, "--profile-id", "user_id", cwd=tmp_path)
    assert done.code == 0, done.err
    pages = "".join(page.read_text() for page in tmp_path.glob("page.*"))
    return done.out + done.err + pages


@pytest.mark.parametrize("column", ["user_id", "session_id", "visitor_id", "profile_id", "ip", "client_host"])
@pytest.mark.parametrize(
    "job",
    [("summary", "--by"), ("summary", "--json", "--by"), ("summary", "--csv", "--by"), ("funnel", "--step", "page", "--by"),
     ("report", "-o", "page.html", "--by"), ("report", "-o", "page.md", "--by")],
    ids=" ".join,
)  # fmt: skip
def test_groups_are_named_by_digests_and_networks(log: str, column: str, job: tuple[str, ...], tmp_path: Path) -> None:
    said = whole(tmp_path, job[0], log, *job[1:], column, *PRIVATE)
    assert [secret for secret in SECRETS if secret in said] == []


def test_a_group_has_the_digest_that_a_run_writes(log: str, tmp_path: Path) -> None:
    for column, name in (("user_id", "SECRETbob"), ("visitor_id", "77001")):
        answer = json.loads(
            command("summary", log, "--json", "--by", column, *PRIVATE, "--profile-id", "user_id", cwd=tmp_path).out
        )
        assert digest(name, KEY) in {group["name"] for group in answer["groups"]}


@pytest.mark.parametrize("column", ["user_id", "visitor_id", "client_host", "ip"])
def test_the_next_command_names_a_group_by_what_hides_it_and_works(log: str, column: str, tmp_path: Path) -> None:
    said = whole(tmp_path, "summary", log, "--by", column, *PRIVATE)
    following = shlex.split(said.partition("next: sessionize ")[2].splitlines()[0])
    assert "--containing" in following
    found = command(*following, "--json", cwd=tmp_path)
    assert json.loads(found.out)["sessions"] > 0, found.err
    assert [secret for secret in SECRETS if secret in found.out] == []


@pytest.mark.parametrize(
    "typed",
    [("show", "--longest"), ("show", "--longest", "--json"), ("show", "--longest", "--containing", "visitor_id IS NOT NULL"),
     ("show", "--longest", "--json", "--containing", "visitor_id IS NOT NULL AND client_host IS NOT NULL"),
     ("paths", "--around", "visitor_id IS NOT NULL"), ("paths", "--json", "--from", "client_host IS NOT NULL"),
     ("funnel", "--step", "visitor_id IS NOT NULL"), ("report", "-o", "page.html", "--step", "client_host IS NOT NULL")],
    ids=" ".join,
)  # fmt: skip
def test_events_and_steps_show_no_id_and_no_address(log: str, typed: tuple[str, ...], tmp_path: Path) -> None:
    said = whole(tmp_path, typed[0], log, *typed[1:], *PRIVATE)
    assert [secret for secret in SECRETS if secret in said] == []


@pytest.mark.parametrize("typed", [("summary", "--by", "ip"), ("summary", "--by", "client_host"),
                                   ("show", "--containing", "client_host IS NOT NULL"), ("report", "-o", "r", "--by", "ip"),
                                   ("funnel", "--step", "ip = '192.0.2.1'")])  # fmt: skip
def test_with_addresses_dropped_nothing_is_asked_of_them(log: str, typed: tuple[str, ...], tmp_path: Path) -> None:
    done = command(typed[0], log, *typed[1:], "--profile-id", "user_id", "--ip", "drop", cwd=tmp_path)
    assert (done.code, "has addresses, and --ip drop leaves none" in done.err) == (2, True), done.err


def test_other_columns_keep_their_values_and_types(log: str, tmp_path: Path) -> None:
    done = command("summary", log, "--profile-id", "user_id", "--ip", "truncate", "--json",
                   "--containing", "visitor_id = 77001" if "parquet" in log else "visitor_id = '77001'", cwd=tmp_path)  # fmt: skip
    assert "ndjson" in log or json.loads(done.out)["sessions"] == 3, done.err
    assert "SECRETann" in whole(tmp_path, "summary", log, "--by", "user_id")


def test_an_earlier_run_that_kept_them_is_refused(log: str, tmp_path: Path) -> None:
    for output, *private in (("out",), ("hidden", *PRIVATE)):
        done = command("run", log, "-o", output, "--profile-id", "user_id", "--events", *private, cwd=tmp_path)
        assert done.code == 0, done.err
    for option in (("--hash-ids", "key"), ("--ip", "truncate"), ("--ip", "drop")):
        done = command("summary", "out", "--by", "profile_id", *option, cwd=tmp_path)
        assert (done.code, "the earlier run went without" in done.err) == (2, True), done.err
    found = command("summary", "hidden", "--by", "profile_id", *PRIVATE, cwd=tmp_path)
    assert (found.code, digest("SECRETbob", KEY) in found.out) == (0, True), found.err


def test_the_python_call_hides_them_too() -> None:
    frame = pl.DataFrame({"user_id": ["SECRETann"], "timestamp": ["2024-05-30"], "ip": ["192.0.2.1"]})
    found = sessionize.summary(frame, by="user_id", hash_ids=KEY)
    assert digest("SECRETann", KEY) in str(found.data)
    assert "SECRET" not in str(found.data)
    with pytest.raises(UsageError, match="has addresses"):
        sessionize.summary(frame, by="ip", ip="drop")
