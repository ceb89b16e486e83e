"""SQL sees the columns and tables it was given, and nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import examples
from console import sessionize
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionize import sql
from sessionize.errors import UsageError

SECRET = "top_secret_line"  # noqa: S105 - a column's name
TABLES = {"events": pl.LazyFrame({"x": ["a", None], "end": [1, 2]})}
READERS = sorted({name for name in pl.__all__ if name.startswith(("read_", "scan_"))} | {"read_json", "read_text"})
OPENERS = [
    "SELECT * FROM read_csv('{0}')",
    "SELECT * FROM READ_Csv ('{0}')",
    "SELECT * FROM \"read_csv\"('{0}')",
    "SELECT * FROM 'read_csv'('{0}')",
    "SELECT * FROM `read_csv`('{0}')",
    "SELECT * FROM/**/read_csv/* /* */ */('{0}')",
    "SELECT * FROM read_csv -- why not\n('{0}')",
    "SELECT * FROM read_csv\u00a0('{0}') AS r",
    "SELECT 1FROM read_csv('{0}')",
    "FROM read_csv('{0}')",
    "SELECT * FROM (read_csv('{0}'))",
    "SELECT * FROM events, read_csv('{0}')",
    "SELECT * FROM events JOIN read_csv('{0}') ON true",
    "SELECT * FROM events WHERE x IN (SELECT top_secret_line FROM read_csv('{0}'))",
    "SELECT (SELECT top_secret_line FROM read_csv('{0}')) FROM events",
    "WITH c AS (SELECT * FROM read_csv('{0}')) SELECT * FROM c",
    "SELECT * FROM events UNION ALL SELECT * FROM read_csv('{0}')",
    "SELECT trim(SELECT top_secret_line FROM read_csv('{0}'))",
    "SELECT 'it''s', '\\' FROM read_csv('{0}') --'",
    "SELECT 1 /* /* */ ' */ FROM read_csv('{0}')",
    "SELECT $$'$$ FROM read_csv('{0}')",
    "CREATE TABLE t AS SELECT * FROM read_csv('{0}')",
]
REFUSED = [
    "SELECT * FROM range(1000000000000)",
    "SELECT * FROM events, generate_series(1, 1000000000000)",
    "SELECT * FROM events JOIN glob('*') ON lower(x) = lower(x)",
    "SELECT extract(year FROM x), (SELECT 1 FROM range(3)) FROM events",
    "SELECT * FROM ((range(3)) CROSS JOIN events)",
    "CREATE TABLE z AS SELECT 1",
    "DROP TABLE events",
    "SHOW TABLES",
    "SELECT E'a' FROM events",
    "SELECT 'a",
    "",
]
TAKEN = [
    "SELECT * FROM events",
    "SELECT lower(x) FROM events WHERE x IN ('read_csv', 'b') AND x NOT LIKE 'read_csv(%'",
    "SELECT extract(year FROM CAST('2024-01-01' AS DATE)), substring(x FROM 1 FOR 1), trim(x) FROM events",
    "WITH c(z) AS (SELECT x FROM events) SELECT * FROM c",
    "SELECT x, sum(\"end\") FROM events GROUP BY x HAVING sum(\"end\") > 1 ORDER BY lower(x), x LIMIT 3",
    "SELECT * FROM events e JOIN events f ON lower(e.x) = lower(f.x), (SELECT 1 AS one) g",
    "SELECT x, row_number() OVER (PARTITION BY x ORDER BY \"end\") FROM events -- it's /* not",
    "(SELECT count(*) FROM events)",
    "SELECT * FROM UNNEST([1, 2]) AS q(w)",
]  # fmt: skip


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text(f"{SECRET},b\n1,2\n")
    return path


@pytest.mark.parametrize("text", OPENERS)
def test_no_query_opens_a_file_however_it_is_written(text: str, secret: Path) -> None:
    with pytest.raises(UsageError) as refused:
        sql.query(text.format(secret), TABLES, "sql")
    assert SECRET not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("name", READERS)
def test_no_reader_of_polars_is_a_function_here(name: str, secret: Path) -> None:
    for text in (
        f"SELECT * FROM {name}('{secret}')",
        f"WITH c AS (SELECT * FROM \"{name.upper()}\"('{secret}')) SELECT 1",
    ):
        with pytest.raises(UsageError, match="is a table function"):
            sql.query(text, TABLES, "sql")
    with pytest.raises(UsageError, match="is a table function"):
        sql.expression(f"x IN (SELECT 1 FROM {name}('http://127.0.0.1:9/'))", "--where")


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_query_of_the_tables_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        sql.query(text, TABLES, "sql")


@pytest.mark.parametrize("text", TAKEN)
def test_a_query_of_the_tables_is_taken(text: str) -> None:
    sql.query(text, TABLES, "sql").collect()


@pytest.mark.parametrize("name", ["secret.csv", "SECRET", "../secret"])
def test_a_file_is_no_table(name: str, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(secret.parent)
    for quote in ("'", '"', "`"):
        with pytest.raises(UsageError, match="was not found"):
            sql.query(f"SELECT * FROM {quote}{name}{quote}", TABLES, "sql")


@pytest.mark.parametrize(
    "text",
    ["count(*) > 1", "value > AVG(value)", "row_number() over (order by v) > 1", "(SELECT 1) = 1", "EXISTS (SELECT 1)",
     "x IN (SELECT x FROM self)", "max (v) = v", "x = 'a'; SELECT 1", "read_csv('a') = 1"],
)  # fmt: skip
def test_a_condition_looks_at_its_row_only(text: str) -> None:
    with pytest.raises(UsageError):
        sql.expression(text, "--where")


@pytest.mark.parametrize(
    "text", ["x = 'count(*)'", 'first = 1 AND "select" = 2', "x IN ('a', 'b')", "lower(x) = 'a' -- lower", "max = '1'"]
)
def test_a_condition_on_a_row_is_taken(text: str) -> None:
    assert sql.expression(text, "--where") is not None


@pytest.mark.slow
def test_a_chain_that_would_end_the_process_is_refused() -> None:
    with pytest.raises(UsageError, match="more than 2,000 words"):
        sql.expression("x = 'a' OR " * 10_000 + "x = 'b'", "--where")
    assert sql.expression(f"x IN ({', '.join(['1'] * 10_000)})", "--where") is not None


JUNK = st.lists(
    st.sampled_from(["'", '"', "`", "$$", "$a$", "/*", "*/", "--", "\n", "\r", "\\", "E", "r", "N", "U&", "q", "[", "]", " ",
                     "\u2028", "x", ",", "(", ")", "1", "#", "//", ";", "events", "SELECT", "AS", "'a'", '"b"']),
    max_size=5,
).map("".join)  # fmt: skip


@settings(examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    one=JUNK,
    two=JUNK,
    three=JUNK,
    four=JUNK,
    name=st.sampled_from(["read_csv", "Read_CSV", '"read_csv"', "'read_csv'", "`read_csv`"]),
)
def test_what_passes_opens_no_file(one: str, two: str, three: str, four: str, name: str, secret: Path) -> None:
    text = f"SELECT 1 {one} FROM {two}{name}{three}('{secret}'){four}"
    with contextlib.suppress(UsageError):
        sql._checked(text, "sql")
        said = ""
        try:
            said = str(pl.SQLContext(TABLES).execute(f"SELECT * FROM ({text})").collect_schema())
            said += str(pl.SQLContext(TABLES).execute(text.replace("SELECT 1 ", "SELECT *, 1 ", 1)).collect_schema())
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            said = str(error)
        assert SECRET not in said


def _log(folder: Path, rows: int = 3) -> None:
    lines = [f"s{row % 50},2024-01-01T00:{row // 60 % 60:02d}:{row % 60:02d},{row}" for row in range(rows)]
    lines[-1] = lines[-1].rsplit(",", 1)[0] + ",SECRETVALUE"
    (folder / "log.csv").write_text("\n".join(["session_id,timestamp,v", *lines]) + "\n")


WHERE = "v IN (SELECT top_secret_line FROM read_csv('secret.csv'))"
CHECK = '[[check.custom]]\nname = "mine"\nsql = {0!r}\n'
PRESET = "title = 'ours'\nwhere = {0!r}\n[columns]\nsession_id = ['session_id']\n"


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("command", [["run", "-o", "out"], ["check"]])
def test_a_condition_that_asks_for_a_file_is_a_usage_error_by_every_door(command: list[str], tmp_path: Path) -> None:
    _log(tmp_path)
    (tmp_path / "ours.toml").write_text(PRESET.format(WHERE))
    (tmp_path / "conf.toml").write_text(f'where = "{WHERE}"\n')
    for options in (["--where", WHERE], ["--preset", "ours.toml"], ["--config", "conf.toml"]):
        done = sessionize(*command, "log.csv", *options, cwd=tmp_path)
        assert (done.code, done.out) == (2, "")
        assert "read_csv is a table function" in done.err
        assert SECRET not in done.err


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("text", ["SELECT * FROM read_csv('secret.csv')", "SELECT CAST(session_id AS INT) FROM events"])
def test_a_check_that_asks_for_a_file_or_fails_is_a_usage_error(text: str, tmp_path: Path) -> None:
    _log(tmp_path)
    (tmp_path / "sessionize.toml").write_text(CHECK.format(text))
    done = sessionize("check", "log.csv", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "[[check.custom]] 'mine'" in done.err
    assert SECRET not in done.err


def test_a_condition_that_fails_behind_the_first_rows_is_a_usage_error_that_shows_no_value(tmp_path: Path) -> None:
    _log(tmp_path, rows=3_000)
    done = sessionize("run", "log.csv", "-o", "out", "--where", "CAST(v AS INT) > 5", cwd=tmp_path)
    assert done.code == 2
    assert "SECRETVALUE" not in done.err
    assert "TRY_CAST" in done.err
    done = sessionize("run", "log.csv", "-o", "out", "--where", "TRY_CAST(v AS INT) > 5", cwd=tmp_path)
    assert done.code == 0


def test_conditions_of_user_and_preset_stay_apart(tmp_path: Path) -> None:
    _log(tmp_path)
    (tmp_path / "ours.toml").write_text(PRESET.format("v <> '0'"))
    done = sessionize(
        "run", "log.csv", "-o", "out", "--preset", "ours.toml", "--where", "v = '1') OR (v = '0'", cwd=tmp_path
    )
    assert done.code == 2
    done = sessionize("run", "log.csv", "-o", "out", "--preset", "ours.toml", "--where", "v < '2' -- low", cwd=tmp_path)
    assert done.code == 0, done.err
    found: Any = pl.read_parquet(tmp_path / "out" / "metrics.parquet")
    assert found["source_id"].to_list() == ["s1"]


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize(
    "text", ["read_csv('secret.csv')", "v IN (SELECT top_secret_line FROM scan_csv('secret.csv'))"]
)
@pytest.mark.parametrize("typed", [("summary", "--containing"), ("show", "--containing"), ("funnel", "--step"),
                                   ("paths", "--from"), ("paths", "--around"), ("report", "-o", "page.html", "--step")])  # fmt: skip
def test_a_step_that_asks_for_a_file_is_said_to_be_that(typed: tuple[str, ...], text: str, tmp_path: Path) -> None:
    rows = "session_id,timestamp,event_type,v\na,2024-05-30,page,1\na,2024-05-30,read (all),2\n"
    (tmp_path / "log.csv").write_text(rows)
    command, *option = typed
    done = sessionize(command, "log.csv", *option, text, cwd=tmp_path)
    assert (done.code, "is a table function" in done.err) == (2, True), done.err
    assert SECRET not in done.err
    named = sessionize(command, "log.csv", *option, "read (all)", cwd=tmp_path)
    assert named.code == 0, named.err


ROWS = pl.DataFrame({
    "b": [True, False, None] * 3, "c": [True] * 3 + [False] * 3 + [None] * 3, "x": ["a", "b", None] * 3,
    "n": [1, 2, 3, None, 2, 1, 3, 1, 2],
})  # fmt: skip
ATOMS = st.sampled_from([
    "b", "c", "x = 'a'", "x NOT LIKE 'a%'", "n BETWEEN 1 AND 2", "n NOT BETWEEN 1 AND 2", "n NOT IN (1, 2)", "n + 1 > 2",
    "x IS NOT NULL", "coalesce(b, c)", "(b OR n > 1)", "CASE WHEN b IS TRUE THEN c ELSE n > 1 END",
])  # fmt: skip
TRUTHS = st.builds("{} IS {}{}".format, ATOMS, st.sampled_from(["", "NOT "]), st.sampled_from(["TRUE", "false"]))
CONDITIONS = st.recursive(
    st.one_of(ATOMS, TRUTHS),
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(["AND", "OR"]), inner),
        st.builds("NOT {}".format, inner), st.builds("({})".format, inner), st.builds("({}) IS NOT TRUE".format, inner),
    ),
    max_leaves=5,
)  # fmt: skip


@pytest.mark.slow
@examples(400)
@given(CONDITIONS)
def test_what_is_true_is_never_null_however_it_is_put_together(condition: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    rows = ROWS.to_arrow()
    wanted = duckdb.sql(f"SELECT {condition} AS found FROM rows").pl()["found"]
    assert ROWS.select(found=sql.expression(condition, "--where"))["found"].to_list() == wanted.to_list(), rows.num_rows
    asked = sql.query(f"SELECT count(*) FROM t WHERE {condition}", {"t": ROWS.lazy()}, "sql")
    assert asked.collect().item() == wanted.sum()


@pytest.mark.parametrize("text", ["n >= 1_000", "b foo", "n > 1 AS y", "n >= 1 000"])
def test_a_word_too_many_is_no_other_name_of_a_condition(text: str) -> None:
    with pytest.raises(UsageError, match="parse"):
        sql.expression(text, "--where")
    with pytest.raises(UsageError):
        sql.aggregate(f"max({text})", "--metric m")


@pytest.mark.parametrize(
    ("text", "found"),
    [("nth(x, 1) FILTER (WHERE n > 1)", "b"), ("coalesce(nth(x, 9) FILTER (WHERE b IS NOT TRUE), '-')", "-"),
     ("count(*) FILTER (WHERE b IS NOT TRUE)", 6)],
)  # fmt: skip
def test_an_aggregate_takes_a_filter(text: str, found: object) -> None:
    assert ROWS.select(found=sql.aggregate(text, "--metric m")).item() == found


def test_a_logarithm_with_its_base_beside_is_refused_as_systems_do_not_agree_where_that_stands() -> None:
    for read in (sql.expression, sql.aggregate):
        with pytest.raises(UsageError, match="which of") as error:
            read("n > log(2, (n + 1))", "--where")
        assert error.value.hint == "log2(x), log10(x), or ln(x) / ln(3)"
    eight = pl.DataFrame({"x": [8.0]})
    told = [
        eight.select(found=sql.expression(text, "--where")).item() for text in ("log2(x)", "log10(x)", "ln(x) / ln(2)")
    ]
    assert told == pytest.approx([3, 0.90308998699, 3])


@pytest.mark.parametrize(("text", "said"), [
    ("(country, page)", "several values side by side, where one is meant"), ("events, 1", "several values side by side"),
    ("country SIMILAR TO 'x'", "SIMILAR TO is not read"), ("STRUCT(1)", "STRUCT is not read"),
    ("INTERVAL country DAY", "invalid interval"), ("(country).page", "dot-notation field access is currently unsupported"),
])  # fmt: skip
def test_how_the_parser_holds_what_it_has_parsed_is_not_shown(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        sql.expression(text, "--where")
    assert said in str(raised.value)
    assert not any(word in str(raised.value) for word in ("Ident", "Span", "{"))
