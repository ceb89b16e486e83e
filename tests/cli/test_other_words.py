"""Options that there are not: what other tools call them, and columns' usual names, are understood wherever options stand."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from console import SAMPLE, sessionize

import sessionize as package
from sessionize.cli import app
from sessionize.cli import options as o
from sessionize.cli.meant import OTHER_WORDS, meant
from sessionize.errors import UsageError

LOG = SAMPLE / "events.csv"


def hint(said: str) -> str:
    """What is to be typed, as one line says it."""
    _, _, told = " ".join(said.split()).partition("hint: ")
    return told.removeprefix("did you mean ").removesuffix("?")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--user user_id", "--profile-id user_id"),
        ("--user-col=user_id", "--profile-id user_id"),
        ("--url 'page url'", "--page 'page url'"),
        ("--utm-source src", "--map utm_source=src"),
        ("--user-agent", "--map user_agent=COLUMN"),
        ("--ts --quiet", "--timestamp COLUMN"),
        ("--session-timeout 45m", "--timeout"),
        ("--tz UTC", "--timezone"),
        ("--out-dir out", "--output"),
        ("--tiemout 45m", "--timeout"),
        ("--ip addr", "--map ip=addr"),
        ("--limit 5", "--top is an option of summary, paths"),
        ("--by page", "--by is an option of summary, funnel, report"),
        ("--frobnicate", "sessionize run -h lists the options"),
        ("-x", "sessionize run -h lists the options"),
    ],
)
def test_an_option_of_another_name_is_told_as_it_is_typed_here(typed: str, meant: str, tmp_path: Path) -> None:
    done = sessionize("run", LOG, "-o", "out", *shlex.split(typed), cwd=tmp_path)
    assert (done.code, hint(done.err), done.out) == (2, meant, "")
    assert not (tmp_path / "out").exists()


def test_what_is_told_can_be_typed(tmp_path: Path) -> None:
    told = sessionize("run", LOG, "-o", "out", "--uri", "page_url", cwd=tmp_path)
    done = sessionize("run", LOG, "-o", "out", *shlex.split(hint(told.err)), cwd=tmp_path)
    assert (done.code, hint(told.err)) == (0, "--page page_url")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('url = "page url"', 'page = "page url"'),
        ('user_agent = "ua"', 'map = "user_agent=ua"'),
        ('gap = "45m"', "timeout"),
        ("tiemout = 3", "timeout"),
    ],
)
def test_it_is_told_as_a_file_has_it(written: str, meant: str, tmp_path: Path) -> None:
    (tmp_path / "sessionize.toml").write_text(written)
    done = sessionize("run", LOG, "-o", "out", cwd=tmp_path)
    assert (done.code, hint(done.err)) == (2, meant)


@pytest.mark.parametrize(
    ("keywords", "meant"),
    [
        ({"url": "page url"}, 'page="page url"'),
        ({"user_agent": "ua"}, 'map={"user_agent": "ua"}'),
        ({"tz": "UTC"}, "timezone"),
        ({"ip": "addr"}, 'map={"ip": "addr"}'),
    ],
)
def test_it_is_told_as_python_has_it(keywords: dict[str, str], meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        package.sessionize(str(LOG), **keywords)  # type: ignore[arg-type]
    assert hint(f"hint: {caught.value.hint}") == meant


def test_no_command_has_an_option_of_its_own_under_another_ones_name() -> None:
    """Else what is known of a name would depend on which of the commands was loaded last."""
    app.load_all()
    rows = [(row.name, row.typed) for own in o._OWN.values() for row in own]
    assert dict(rows) == {name: o.known()[name].typed for name, _ in rows}
    assert len({*rows}) == len({name for name, _ in rows})


def test_other_words_are_for_options_that_there_are_and_none_is_one_itself() -> None:
    app.load_all()
    typed = {word.removeprefix("--") for row in o.known().values() for word in row.typed}
    for option, words in OTHER_WORDS.items():
        assert option.replace("_", "-") in typed
        assert typed.isdisjoint(word.replace("_", "-") for word in words)
        assert all((found := meant(word, typed)) and found.option == option.replace("_", "-") for word in words)
