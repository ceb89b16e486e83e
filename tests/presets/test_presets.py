"""Presets: what beats them, what an own one can say, and what the shipped ones have to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from console import MANUAL, typed
from console import sessionize as by_command
from preset_runs import ndjson, ran

from sessionize.errors import UsageError
from sessionize.presets import load, names, tails
from sessionize.presets.recognise import COLUMNS


def test_an_option_beats_the_configuration_file_and_that_beats_the_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(
        "who,visit,at\nann,1,2024-05-30 09:00\nann,1,2024-05-30 09:40\nann,2,2024-05-30 10:30\n"
    )
    (tmp_path / "own.toml").write_text(
        'title = "Ours"\n[columns]\nsession_id = ["visit"]\nprofile_id = ["who"]\ntimestamp = ["at"]\n'
        '[options]\ntimeout = "none"\n'
    )
    log = tmp_path / "log.csv"
    assert ran(tmp_path, log, "--preset", "own.toml").of("source_id", "events") == [("1", 2), ("2", 1)]
    (tmp_path / "sessionize.toml").write_text('preset = "own.toml"\ntimeout = "35m"\n')
    assert len(ran(tmp_path, log).sessions) == 3
    assert len(ran(tmp_path, log, "--timeout", "2h").sessions) == 2
    assert ran(tmp_path, log, "--timeout", "2h", "--session-id", "who").of("source_id", "events") == [("ann", 3)]


def test_an_own_preset_can_say_delimiter_names_nulls_and_rows(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(
        "a;x;2024-05-30 09:00\n-;x;2024-05-30 09:01\na;y;2024-05-30 09:02\na;y;2024-05-30 09:03\n"
    )
    (tmp_path / "own.toml").write_text(
        'title = "Ours"\nnulls = { visit = ["-"] }\nwhere = "kind = \'y\' OR visit IS NULL"\n'
        '[columns]\nsession_id = ["visit"]\nprofile_id = ["kind"]\n'
        '[layout]\ndelimiter = ";"\nnames = ["visit", "kind", "time"]\n'
    )
    found = ran(
        tmp_path, tmp_path / "log.txt", "--preset", tmp_path / "own.toml", "--where", "time <> '2024-05-30 09:03'"
    )
    assert found.of("source_id", "profile_id", "events") == [(None, "x", 1), ("a", "y", 1)]


WRONG: dict[str, tuple[str, str]] = {
    "a key there is not": ('title = "x"\ncolums = {}', "colums"),
    "a role there is not": ("[columns]\nsessionid = ['a']", "sessionid"),
    "no list of columns": ("[columns]\nsession_id = 5", "session_id"),
    "no TOML": ("title = ", "own.toml"),
    "a delimiter of two": ("[layout]\ndelimiter = '::'", "::"),
    "a layout there is not": ("[layout]\nkind = 'xml'", "xml"),
}


@pytest.mark.parametrize(("text", "named"), WRONG.values(), ids=WRONG)
def test_a_preset_that_is_wrong_is_refused_by_name(text: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(UsageError, match=named):
        load(str(tmp_path / "own.toml"))


def test_an_unknown_preset_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError) as told:
        load("amplitud")
    assert "amplitude" in str(told.value.hint)
    assert "cloudfront" in str(told.value.hint)


def test_presets_are_listed_and_each_is_explained_with_its_command(tmp_path: Path) -> None:
    listed = by_command("presets", cwd=tmp_path)
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()] == names()
    explained = by_command("presets", "ga4", cwd=tmp_path).out
    for words in ("--preset ga4", "user_pseudo_id + event_params[ga_session_id]", "timeout = none", "visitor"):
        assert words in explained


@pytest.mark.parametrize("name", names())
def test_a_shipped_preset_has_options_that_exist_and_says_how_to_run_it(name: str) -> None:
    preset = load(name)
    assert f"--preset {name}" in preset.command
    assert preset.title
    assert preset.about
    known = {"timeout", "time-format", "input-format", "end-event", "page-view", "conversion"}
    assert set(preset.options) <= known


def test_the_manuals_preset_is_one_and_its_table_names_them_all(tmp_path: Path) -> None:
    readme = MANUAL["presets"]
    (text,) = (found for found in re.findall(r"```toml\n(.*?)```", readme, re.DOTALL) if "[columns]" in found)
    (tmp_path / "own.toml").write_text(text)
    log = ndjson(
        tmp_path / "log.ndjson",
        {"env": "prod", "device": "d", "visit": "1", "event": None, "time": "2024-05-30 09:00", "context": {"page": {"url": "/a"}}},
        {"env": "prod", "device": "d", "visit": "1", "event": "x", "time": "2024-05-30 09:40", "context": None},
        {"env": "test", "device": "d", "visit": "1", "event": "x", "time": "2024-05-30 09:50", "context": None},
        {"env": "prod", "device": "d", "visit": "-1", "event": "x", "time": "2024-05-30 09:50", "context": None},
    )  # fmt: skip
    found = ran(tmp_path, log, "--preset", tmp_path / "own.toml")
    assert found.of("source_id", "profile_id", "events", "page_views", "entry_page") == [
        ("d|1", "d", 2, 1, "/a"), (None, "d", 1, 0, None),
    ]  # fmt: skip
    for name in names():
        assert f"--preset {name}`" in readme


def test_an_own_preset_is_checked_role_by_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.ndjson").write_text(
        '{"at": "2024-05-30 09:00", "who": {"id": "ann"}, "url": "/a"}\n'
        '{"at": "2024-05-30 09:01", "who": {"id": "bob"}, "url": null}\n'
    )
    own = tmp_path / "own.toml"
    own.write_text('title = "x"\n[columns]\ntimestamp = ["at"]\nprofile_id = ["who.id"]\nvalue = ["worth"]\n')
    typed(["presets", "--check", str(own), str(tmp_path / "log.ndjson")])
    told = capsys.readouterr().out
    assert "on the first 2 rows (times: text)" in told
    for line in ("profile_id  who.id: ann, bob (100% of the rows)", "page        url (by its usual name): /a (50% of the rows)",
                 "value       worth: no value (0% of the rows)"):  # fmt: skip
        assert line in told
    own.write_text('title = "x"\n[columns]\ntimestamp = ["at"]\nprofile_id = ["whom"]\n')
    with pytest.raises(UsageError, match=r"no session id or profile id \(whom\)"):
        typed(["presets", "--check", str(own), str(tmp_path / "log.ndjson")])
    with pytest.raises(UsageError, match="needs a preset and a log"):
        typed(["presets", "--check", str(own)])


@pytest.mark.parametrize("name", names())
def test_a_shipped_preset_says_where_it_is_documented_what_it_covers_and_how_it_is_found(name: str) -> None:
    preset = load(name)
    assert preset.documented.startswith("https://")
    assert preset.covers
    assert preset.lacks
    assert preset.recognise
    assert tails()[name].count("columns = [") == len(COLUMNS.findall(tails()[name]))  # each on a line of its own
    assert preset.options.get("timeout", "none") == "none"  # all that a layout that is found can set
