"""`sessionize report` as it is typed: where it goes, what it refuses, what it says."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from console import MANUAL, SAMPLE, Outcome, sessionize

from sessionize.answers import SECTIONS
from sessionize.cli import report
from sessionize.report.content import MAKERS

LOG = SAMPLE / "events.csv"


@pytest.mark.slow
def test_a_page_goes_into_the_file_that_is_named_and_says_so(tmp_path: Path) -> None:
    done = sessionize("report", LOG, "-o", "report.html", cwd=tmp_path)
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("     wrote  report.html (")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sessionize("report", LOG, "-o", "report.html", "-q", cwd=tmp_path) == Outcome(0, "", "")


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [((), "<!-- sess"), (("-o", "-"), "<!-- sess"), (("--format", "html"), "<!DOCTYPE"), (("-o", "-", "--format", "html"), "<!DOCTYPE")],
)  # fmt: skip
def test_a_pipe_gets_markdown_unless_a_page_is_asked_for(
    arguments: tuple[str, ...], begins: str, tmp_path: Path
) -> None:
    done = sessionize("report", LOG, *arguments, cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith(begins)


@pytest.mark.parametrize(("name", "begins"), [("a.md", "<!-- sess"), ("a.htm", "<!DOCTYPE"), ("a", "<!DOCTYPE")])
def test_a_files_name_tells_its_format(name: str, begins: str, tmp_path: Path) -> None:
    assert sessionize("report", LOG, "-o", name, cwd=tmp_path).code == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)


def test_a_page_is_not_for_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(type(sys.stdout)):  # type: ignore[misc]
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("console.TextIOWrapper", Terminal)
    done = sessionize("report", LOG, "--format", "html", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: a page is not for a terminal\n  hint: name a file: -o report.html\n"


def test_nothing_is_written_over_what_is_not_a_report(tmp_path: Path) -> None:
    log = tmp_path / "events.csv"
    log.write_bytes(LOG.read_bytes())
    other = tmp_path / "other.csv"
    other.write_bytes(LOG.read_bytes())
    foreign = tmp_path / "page.html"
    foreign.write_text("<!DOCTYPE html>\n<p>mine", encoding="utf-8")
    for name, more in (("events.csv", ()), ("other.csv", ("--compare", "other.csv")), ("page.html", ()), (".", ())):
        assert sessionize("report", "events.csv", "-o", name, *more, cwd=tmp_path).code == 2
    assert log.read_bytes() == other.read_bytes() == LOG.read_bytes()
    assert foreign.read_text(encoding="utf-8") == "<!DOCTYPE html>\n<p>mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sections", "totals,pats"), "did you mean paths?"),
        (("--sections", ","), "--sections is empty"),
        (("--sections", "groups"), "--sections groups needs --by NAME"),
        (("--format", "pdf"), "invalid value 'pdf' for --format (choose from html, markdown)"),
        (("--step", "purchas"), "did you mean 'purchase'?"),
        (("-o", ""), "--output is empty"),
    ],
)
def test_what_is_nearly_right_is_asked_back_for(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = sessionize("report", LOG, *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_sections_are_told_in_their_order_however_they_are_typed(tmp_path: Path) -> None:
    done = sessionize("report", LOG, "--sections", "paths,totals", "--sections", "time", cwd=tmp_path)
    assert [line for line in done.out.splitlines() if line.startswith("### ")] == [
        "### Totals", "### Over time", "### Paths", "### How this was made",
    ]  # fmt: skip


@pytest.mark.slow
def test_what_someone_should_look_at_is_said_beside_the_page(tmp_path: Path) -> None:
    done = sessionize("report", LOG, "--conversion", "purchas", "-o", "a.html", cwd=tmp_path)
    assert "6 rows (0.20%)" in done.err
    assert "--conversion purchas: no event has this type; did you mean 'purchase'?" in done.err
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "no event has this type; did you mean" in page
    assert "No event of these sessions is a conversion" in page
    assert sessionize("report", LOG, "-o", "a.html", "--max-rejected", "5", "-q", cwd=tmp_path).code == 1


@pytest.mark.slow
def test_a_report_of_stdin_of_a_run_and_with_another_log_says_what_it_is_of(tmp_path: Path) -> None:
    piped = sessionize("report", "-", cwd=tmp_path, stdin=LOG.read_bytes())
    assert "## Sessions of standard input\n" in piped.out
    assert sessionize("run", LOG, "-o", "out", "-q", cwd=tmp_path).code == 0
    done = sessionize("report", "out", "--compare", LOG, "--last", "1d", "--session-where", "events > 1", cwd=tmp_path)
    assert done.code == 0
    assert "only the last 1 d" in done.out
    assert "`only where events > 1`" in done.out
    assert "compared with" in done.out
    assert "| Sessions | 96 | 96 | 0 % |" in done.out


def test_the_options_sections_are_those_of_the_answer() -> None:
    assert report.SECTIONS == SECTIONS == tuple(MAKERS)


def test_a_title_of_its_own_stands_at_the_top(tmp_path: Path) -> None:
    assert "\n## May\n" in sessionize("report", LOG, "--title", "May", cwd=tmp_path).out


def test_a_configuration_for_run_does_not_tell_the_reports_format(tmp_path: Path) -> None:
    (tmp_path / "sessionize.toml").write_text('format = "ndjson"\ntimeout = "10m"\n', encoding="utf-8")
    done = sessionize("report", LOG, cwd=tmp_path)
    assert done.code == 0
    assert "timeout 10 min" in done.out


@pytest.mark.slow
def test_the_commands_in_the_readme_run(tmp_path: Path) -> None:
    section = MANUAL["report"]
    commands = [line for line in section.splitlines() if line.startswith("sessionize report")]
    assert len(commands) == 3
    (tmp_path / "sample_data").symlink_to(SAMPLE)
    assert sessionize("run", LOG, "-o", "out", "-q", cwd=tmp_path).code == 0
    for command in commands:
        assert sessionize(*shlex.split(command, comments=True)[1:], cwd=tmp_path).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "ndjson", "json"])
def test_a_run_of_any_format_makes_the_same_page(form: str, tmp_path: Path) -> None:
    pages = []
    for each in ("parquet", form):
        assert (
            sessionize("run", LOG, "-o", each, "--format", each, "--no-sessions", "--events", "-q", cwd=tmp_path).code
            == 0
        )
        done = sessionize("report", each, "--title", "One", cwd=tmp_path)
        assert done.code == 0, done.err
        pages.append([line for line in done.out.splitlines() if not line.startswith("- `Manifest")])
    assert pages[0] == pages[1]
