"""Bots, places and privacy as a user asks for them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from console import sessionize, typed
from mmdb import write

from sessionize.errors import UsageError
from sessionize.kernel import agents
from sessionize.output import geo

needs_ua = pytest.mark.skipif(not agents.installed(), reason="the extra [ua] is not installed")
needs_geo = pytest.mark.skipif(find_spec("maxminddb") is None, reason="the extra [geo] is not installed")

LOG = (
    "session_id,user_id,event_id,time,ip,user_agent,page\n"
    "visit-1,ann-secret,event-1,2024-05-30 09:00,203.0.113.7,Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Firefox/126.0,/\n"
    "visit-1,ann-secret,event-2,2024-05-30 09:01,203.0.113.7,Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Firefox/126.0,/b\n"
    "visit-2,bob-secret,event-3,2024-05-30 09:02,2001:db8:1:2::3,curl/8.5.0,/\n"
    "visit-3,eve-secret,event-4,2024-05-30 09:03,unknown,,/\n"
    "visit-4,dan-secret,event-5,never,198.51.100.9,,/\n"
)
SECRETS = ("ann-secret", "bob-secret", "eve-secret", "dan-secret", "visit-", "event-")
HOSTS = ("203.0.113.7", "2001:db8:1:2::3", "198.51.100.9")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef\n")
    return tmp_path


def written(folder: Path) -> str:
    """All that a run left, as text."""
    return "\n".join(path.read_text() for path in sorted((folder / "out").iterdir()))


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out" / f"{name}.ndjson").read_text().splitlines()]


def run(folder: Path, *options: object) -> None:
    done = sessionize("run", "log.csv", "-o", "out", "--format", "ndjson", "--events", *options, cwd=folder)
    assert done.code == 0, done.err
    assert not any(secret in done.err for secret in SECRETS)


def test_no_output_holds_an_id_or_an_address_where_ids_are_hashed_and_addresses_cut(folder: Path) -> None:
    run(folder, "--hash-ids", "key", "--ip", "truncate")
    text = written(folder)
    assert not [secret for secret in (*SECRETS, *HOSTS) if secret in text]
    assert [row["device"]["ip"] for row in rows(folder, "sessions")] == ["203.0.113.0", "2001:db8:1::", None]
    assert [(row["row"], row["reason"], row["raw"]) for row in rows(folder, "rejected")] == [(6, "bad_timestamp", None)]
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    assert (manifest["rules"]["hash_ids"], manifest["rules"]["ip"]) == (True, "truncate")
    assert "0123456789abcdef" not in text


def test_the_same_key_gives_the_same_ids_from_a_file_or_the_environment_and_another_key_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    monkeypatch.setenv("OUR_KEY", "0123456789abcdef0123456789abcdef")
    (folder / "other").write_text("another key of enough length")
    for source in ("key", "env:OUR_KEY", "other"):
        run(folder, "--hash-ids", source)
        found.append({row["profile_id"] for row in rows(folder, "metrics")})
    assert found[0] == found[1]
    assert not found[0] & found[2]


def test_dropped_addresses_are_nowhere(folder: Path) -> None:
    run(folder, "--ip", "drop")
    assert not [host for host in HOSTS if host in written(folder)]


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no such key file": (("--hash-ids", "nowhere"), "nowhere"),
    "a key that can be guessed": (("--hash-ids", "short"), "at least 16"),
    "a variable that is not set": (("--hash-ids", "env:SESSIONIZE_TEST_NOT_SET"), "SESSIONIZE_TEST_NOT_SET"),
    "an address as an id": (("--session-id", "ip", "--ip", "truncate"), "--hash-ids KEY_FILE"),
    "no such handling": (("--ip", "blur"), "truncate"),
}


@pytest.mark.parametrize(("options", "said"), WRONG.values(), ids=WRONG)
def test_what_would_not_be_private_is_refused(options: tuple[str, ...], said: str, folder: Path) -> None:
    (folder / "short").write_text("abc\n")
    done = sessionize("run", "log.csv", "-o", "out", *options, cwd=folder)
    assert done.code == 2
    assert said in done.err
    assert not (folder / "out").exists()


def test_a_bad_row_that_ends_the_run_is_not_shown_where_ids_are_private(folder: Path) -> None:
    done = sessionize("run", "log.csv", "-o", "out", "--on-bad-row", "fail", "--hash-ids", "key", cwd=folder)
    assert done.code == 3
    assert "row 6" in done.err
    assert not any(secret in done.err for secret in SECRETS)


@needs_ua
def test_bots_are_left_out_and_the_counts_still_add_up(folder: Path) -> None:
    done = sessionize("run", "log.csv", "-o", "out", "--exclude-bots", "--format", "ndjson", cwd=folder)
    assert done.code == 0
    counts = json.loads((folder / "out" / "manifest.json").read_text())["counts"]
    assert (counts["rows_read"], counts["events"], counts["rejected"], counts["bots"]) == (4, 3, 1, 1)
    assert "1 events of known bots left out" in done.err
    assert [row["bot"] for row in rows(folder, "metrics")] == [False, None]


@needs_ua
def test_bots_that_stay_are_told(folder: Path) -> None:
    run(folder)
    assert [row["bot"] for row in rows(folder, "metrics")] == [False, True, None]
    assert [row["os"]["name"] for row in rows(folder, "sessions")] == ["Linux", None, None]


PLACE = {
    "country": {"iso_code": "DE", "names": {"en": "Germany"}},
    "city": {"names": {"en": "Köln", "de": "Köln"}},
    "subdivisions": [{"iso_code": "NW", "names": {"en": "North Rhine-Westphalia"}}],
    "postal": {"code": "50667"},
    "location": {"latitude": 50.9375, "longitude": 6.9603},
}
GEO = {
    "country": {"name": "Germany", "code": "DE"}, "city": "Köln", "county": "North Rhine-Westphalia", "postal": "50667",
    "latitude": 50.9375, "longitude": 6.9603, "location": [6.9603, 50.9375],
}  # fmt: skip
NOWHERE = {
    "country": {"name": None, "code": None},
    **dict.fromkeys(("city", "county", "postal", "latitude", "longitude", "location")),
}


@pytest.fixture
def database(folder: Path) -> Path:
    return write(
        folder / "city.mmdb",
        {"203.0.113.0/24": PLACE, "2001:db8:1::/48": {"country": "FR", "city": "Lyon", "lat": "95"}},
    )


@needs_geo
@pytest.mark.parametrize("ip", ["full", "truncate", "drop"])
def test_places_come_from_the_addresses_even_where_those_do_not_stay(ip: str, folder: Path, database: Path) -> None:
    run(folder, "--geo-db", database, "--ip", ip)
    found = [row["device"]["geo"] for row in rows(folder, "sessions")]
    flat = NOWHERE | {"country": {"name": "FR", "code": None}, "city": "Lyon"}
    assert found == [GEO, flat, NOWHERE]
    assert (HOSTS[0] in written(folder)) == (ip == "full")


@needs_geo
def test_a_database_that_is_none_is_named_before_anything_is_read(folder: Path) -> None:
    for name, content in {"log.csv": None, "nowhere.mmdb": None, "cut.mmdb": b"\0" * 100}.items():
        if content is not None:
            (folder / name).write_bytes(content)
        done = sessionize("run", "log.csv", "-o", "out", "--geo-db", name, cwd=folder)
        assert done.code == 3
        assert name in done.err
        assert "bug" not in done.err


@needs_geo
def test_a_database_that_is_damaged_inside_is_named(folder: Path, database: Path) -> None:
    whole = database.read_bytes()
    at = whole.index(bytes(16)) + 16
    database.write_bytes(whole[:at] + b"\xff" * 40 + whole[at + 40 :])
    done = sessionize("run", "log.csv", "-o", "out", "--geo-db", "city.mmdb", cwd=folder)
    assert done.code == 3
    assert "city.mmdb" in done.err
    assert not (folder / "out" / "manifest.json").exists()


def test_a_missing_extra_is_one_line_that_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(agents, "find_spec", lambda _: None)
    monkeypatch.setattr(geo, "find_spec", lambda _: None)
    for option, extra in ((["--exclude-bots"], "[ua]"), (["--geo-db", "city.mmdb"], "[geo]")):
        with pytest.raises(UsageError) as told:
            typed(["run", "log.csv", "-o", "out", "-q", *option])
        assert f"pip install 'sessionize{extra}'" in str(told.value.hint)
        assert "\n" not in told.value.message
