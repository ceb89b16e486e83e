"""The manual is whole, and what it says to type was typed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from console import MANUAL, README, ROOT, SAMPLE, sessionize

from sessionize import definitions, errors, presets, schema
from sessionize.checks.table import CHECKS
from sessionize.cli.app import COMMANDS
from sessionize.cli.docs import ALL
from sessionize.kernel.metrics import METRIC_NAMES
from sessionize.manual import TOPICS

RECIPES = MANUAL["recipes"]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    return sessionize("docs", "reference", cwd=tmp_path_factory.mktemp("reference")).out


def test_the_readme_is_read_in_minutes_and_leads_to_every_topic() -> None:
    assert README.count("\n") < 250
    linked = re.findall(r"\]\((sessionize/manual/.*?)\)", README)
    assert linked == [f"sessionize/manual/{name}.md" for name in TOPICS]
    assert [path for path in re.findall(r"\]\((?!https?:|#)(.*?)\)", README) if not (ROOT / path).exists()] == []


def test_every_topic_is_a_file_and_every_file_a_topic() -> None:
    assert {path.stem for path in (ROOT / "sessionize" / "manual").glob("*.md")} == set(TOPICS)


@pytest.mark.parametrize("name", TOPICS)
def test_docs_prints_a_topic_as_it_stands(tmp_path: Path, name: str) -> None:
    done = sessionize("docs", name, cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, MANUAL[name], "")
    assert done.out.startswith("# ")


def test_docs_alone_lists_the_topics(tmp_path: Path) -> None:
    done = sessionize("docs", cwd=tmp_path)
    assert [line.split()[0] for line in done.out.splitlines()] == list(ALL)


def test_a_topic_that_is_nearly_right_is_asked_back_for(tmp_path: Path) -> None:
    done = sessionize("docs", "nightl", cwd=tmp_path)
    assert (done.code, done.err.splitlines()[-1]) == (2, "  hint: did you mean nightly?")


def test_the_reference_has_every_option_that_help_shows(tmp_path: Path, reference: str) -> None:
    for command in COMMANDS:
        helped = sessionize(command, "--help", cwd=tmp_path).out
        shown = set(re.findall(r"^  (?:-\w, )?(--[a-z][a-z-]+)", helped, re.MULTILINE)) - {"--help"}
        if command not in ("presets", "schema", "docs"):
            assert {option for option in shown if f"`{option}`" not in reference} == set(), command


def test_the_reference_has_every_metric_check_reason_code_definition_and_preset(reference: str) -> None:
    names = (*METRIC_NAMES, *(check.name for check in CHECKS), *schema.REASONS, *definitions.names(), *presets.names())
    assert {name for name in names if f"| `{name}` |" not in reference} == set()
    codes = {getattr(each, "exit_code", 70) for each in vars(errors).values() if isinstance(each, type)}
    assert {code for code in codes if f"| {code} |" not in reference} == set()


def test_the_reference_says_of_how_few_a_check_says_less(reference: str) -> None:
    for check in CHECKS:
        (line,) = (line for line in reference.splitlines() if line.startswith(f"| `{check.name}` |"))
        assert (f"under {check.least:,}: " in line) is bool(check.least), line
        assert (f"warns beyond {check.error}, never fails; under {check.few:,}: not measured" in line) is bool(
            check.few
        )


def test_every_cell_of_the_reference_says_something(reference: str) -> None:
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in reference.splitlines() if line.startswith("| `")]
    assert [row[0] for row in rows if not (row[0].strip() and any(cell.strip() for cell in row[1:]))] == []


def test_the_page_for_man_is_the_one_that_is_installed(tmp_path: Path) -> None:
    made = sessionize("docs", "man", cwd=tmp_path).out
    assert (ROOT / "sessionize" / "manual" / "sessionize.1").read_text() == made


@pytest.mark.skipif(shutil.which("man") is None, reason="no man here")
def test_man_finds_nothing_wrong_with_its_page() -> None:
    page = ROOT / "sessionize" / "manual" / "sessionize.1"
    done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "-where SQL" in done.stdout.replace("\u2010", "-")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the command of the recipes was run."""
    folder = tmp_path_factory.mktemp("recipes")
    shutil.copytree(SAMPLE, folder / "sample_data")
    (command,) = re.findall(r"```sh\nsessionize (run .*)\n```", RECIPES)
    assert sessionize(*command.split(), cwd=folder).code == 0
    return folder


def test_the_queries_give_what_is_shown(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(written)
    shown = re.findall(r"```sql\n(SELECT.*?)```\n\n(?:[^`].*\n)*```\n(.*?)```", RECIPES, re.DOTALL)
    assert len(shown) == 2
    for query, expected in shown:
        rows = duckdb.connect().sql(query).fetchall()
        assert "".join("|".join(map(str, row)) + "\n" for row in rows) == expected


def test_the_data_frames_hold_what_is_said(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(written)
    (code,) = re.findall(r"```python\n(.*?)```", RECIPES, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102
    assert len(names["by_day"]) == 4  # type: ignore[arg-type]


@pytest.mark.skipif(shutil.which("dbt") is None, reason="no dbt here")
def test_dbt_builds_the_model_and_its_tests_pass(written: Path) -> None:
    blocks = {
        "models/sessions.yml": re.findall(r"```yaml\n(.*?)```", RECIPES, re.DOTALL)[0],
        "models/entries.sql": re.findall(r"```sql\n(-- models.*?)```", RECIPES, re.DOTALL)[0],
        "dbt_project.yml": "name: web\nprofile: web\nmodel-paths: [models]\n",
        "profiles.yml": "web:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: web.duckdb}\n",
    }
    for name, text in blocks.items():
        (written / name).parent.mkdir(exist_ok=True)
        (written / name).write_text(text)
    done = subprocess.run(
        ["dbt", "build", "--profiles-dir", "."], cwd=written, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "PASS=5 " in done.stdout


@pytest.mark.slow
def test_a_check_before_a_run_lets_it_run(written: Path) -> None:
    (line,) = re.findall(r"```sh\n(sessionize check .* && .*)\n```", RECIPES)
    for command in line.split(" && "):
        assert sessionize(*command.split()[1:], cwd=written).code == 0


@pytest.mark.parametrize(
    ("word", "page"), [("p95", "questions"), ("median", "questions"), ("key", "questions"), ("burst", "definitions")]
)
def test_a_word_that_stands_on_a_screen_is_explained(word: str, page: str) -> None:
    assert re.search(rf"`{word}`(:| is )", MANUAL[page])


def test_a_screen_says_what_its_medians_are_of(tmp_path: Path) -> None:
    rows = "".join(f"u,2024-05-27T10:0{minute}:00Z,{name}\n" for minute, name in enumerate(("cart", "purchase")))
    (tmp_path / "log.csv").write_text(f"user_id,timestamp,event_type\n{rows}")
    funnel = ("funnel", "log.csv", "--step", "cart", "--step", "purchase")
    assert "to next = median time" in sessionize(*funnel, cwd=tmp_path).out
    assert "median: of lengths" in sessionize("log.csv", "--by", "day", cwd=tmp_path).out
