"""The user's SQL: it sees the columns or tables it was given and nothing else: no file, no network.

Polars knows SQL by itself, table functions such as ``read_csv`` among it, which open whatever they are told to. So a
text is looked at word by word before Polars sees it (`sql_tokens`). Every door for SQL goes through here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import polars as pl

from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.sql_edits import edited, meant, nth, refuse_two_meanings
from sessionize.sql_tokens import NOTHING, Token, refuse_table_function, tokens

ROWS_TOGETHER: Final = frozenset({
    "any_value", "array_agg", "avg", "corr", "count", "covar", "covar_pop", "covar_samp", "cume_dist",
    "dense_rank", "first", "first_value", "lag", "last", "last_value", "lead", "listagg", "max", "mean",
    "median", "min", "ntile", "percent_rank", "quantile_cont", "quantile_disc", "rank", "row_number", "stddev",
    "stddev_pop", "stddev_samp", "stdev", "stdev_pop", "stdev_samp", "string_agg", "sum", "var", "var_pop",
    "var_samp", "variance",
})  # fmt: skip
"""Functions that look at several rows, in lower case."""
WINDOWS: Final = frozenset({"cume_dist", "dense_rank", "lag", "lead", "ntile", "percent_rank", "rank", "row_number"})
"""Functions of windows, in lower case."""
AGGREGATES: Final = "count(*), sum(x), min(x), max(x), avg(x), first(x), last(x) or nth(x, 2), with FILTER (WHERE …)"
MOST_WORDS: Final = 2_000
"""Without literals and commas: Polars' parser recurses, and a chain of tens of thousands would end the process."""
VALUES_SHOWN: Final = pattern(r"\s+(?:for \d+ out of|with value|: \[).*")
"""In what Polars says of a failed cast: the values themselves."""

NOT_FOR_USERS: Final = pattern(r" \(create native python.*|; valid columns.*")
PARSED: Final = pattern(r"\b(?:Ident|Span|Location|ValueWithSpan) ?[({]")
"""How Polars' parser holds what it has parsed, which is nothing to be shown."""
KIND: Final = pattern(r"expression (\w+)")
WORDS: Final = pattern(r"[A-Z][a-z]*")
HELD: Final = pattern(r":?\s+\w+ ?[({].*")
CURES: Final = (
    (pattern(r"date/datetime/time|[Dd]atetime|Duration|'is_in' cannot check for Date"),
     ("a time is compared with a text that is one: {time} >= '2024-05-31' or {time} >= '2024-05-31T06:00Z'; the "
      "difference of two times with INTERVAL '10 minutes'")),
    (pattern(r"cannot compare string with numeric"),
     "a text is compared with a text in single quotes, or made a number by TRY_CAST({text} AS DOUBLE)"),
    (pattern(r"^expression Tuple"),
     "one column, or one expression of SQL: commas stand only inside the brackets of a function or behind IN"),
    (pattern(r"^(?:strict )?conversion"), "a value does not fit: TRY_CAST gives null in its place"),
)  # fmt: skip
"""What Polars says of types that do not go together, and what to type instead."""


def expression(text: str, origin: str) -> pl.Expr:
    """A condition on one row.

    Args:
        text: Such as ``env = 'prod' AND value > 3``.
        origin: Option or setting that it comes from, for the message.

    Raises:
        UsageError: If it is no such expression, looks beyond its row, or asks for files.

    Examples:
        >>> str(expression("x = 'a'", "--where"))
        '[(col("x")) == ("a")]'
    """
    words = _checked(text, origin)
    for word, following in zip(words, [*words[1:], NOTHING][: len(words)], strict=True):
        if word.keyword in ("select", "over") or (word.keyword in ROWS_TOGETHER and following.text == "("):
            raise UsageError(
                f"{origin}: {word.text} looks at more than one row",
                hint=f'a condition is asked of each row; a column of that name is written "{word.text}"',
            )
    with as_usage_error(origin, "an expression of SQL, for example env = 'prod'"):
        return _read(edited(text, meant(words)))


def aggregate(text: str, origin: str) -> pl.Expr:
    """One value of some events in their order.

    Args:
        text: Such as ``count(*) FILTER (WHERE kind = 'scroll')``, ``sum(tokens)`` or ``nth(page, 2)``.
        origin: Option or setting that it comes from, for the message.

    Raises:
        UsageError: If it is no SQL, looks beyond these events, or asks for files.

    Examples:
        >>> pl.DataFrame({"x": ["a", "b"]}).select(n=aggregate("nth(x, 2)", "--metric n")).item()
        'b'
    """
    words = _checked(text, origin)
    for word, following in zip(words, [*words[1:], NOTHING][: len(words)], strict=True):
        if word.keyword in ("select", "over") or (word.keyword in WINDOWS and following.text == "("):
            what = "a query of its own" if word.keyword == "select" else "a window function"
            raise UsageError(
                f"{origin}: {word.text} makes it {what}; it sees the events of one session, in time order",
                hint=f"an aggregate: {AGGREGATES}",
            )
    with as_usage_error(origin, f"an aggregate: {AGGREGATES}"):
        known = edited(text, nth(text, words, origin))
        return _read(edited(known, meant([*tokens(known, origin)])))


def _read(text: str) -> pl.Expr:
    """SQL as an expression: in brackets, in which a word too many is no other name of it."""
    pl.sql_expr(f"({text}\n)")
    return pl.sql_expr(text)


def columns_of(text: str) -> list[str]:
    """Columns that an expression or an aggregate names; none where it is neither."""
    for read in (expression, aggregate):
        with suppress(UsageError):
            return read(text, "").meta.root_names()
    return []


def check_no_table_function(text: str, origin: str) -> None:
    """Raise UsageError for a text that may be SQL or a name, and were it SQL would ask for files."""
    words: list[Token] = []
    with suppress(UsageError):  # what cannot be cut into words is a name
        words = [*tokens(text, origin)]
    refuse_table_function(words, origin)


def query(text: str, tables: Mapping[str, pl.LazyFrame], origin: str) -> pl.LazyFrame:
    """A query's result.

    Args:
        text: One SELECT.
        tables: All that it can see, by name.
        origin: Option or setting that it comes from, for the message.

    Raises:
        UsageError: If it is no query of these tables, or asks for files.

    Examples:
        >>> frame = query("SELECT count(*) AS n FROM events", {"events": pl.LazyFrame({"x": [1, 2]})}, "sql")
        >>> frame.collect().item()
        2
    """
    words = _checked(text, origin)
    first = next((word for word in words if word.text != "("), NOTHING)
    if first.keyword not in ("select", "with"):
        raise UsageError(f"{origin}: no query", hint="it begins with SELECT or WITH")
    with as_usage_error(origin, _there_are(tables)):
        found = pl.SQLContext(dict(tables)).execute(edited(text, meant(words)))
        found.collect_schema()
        return found


def _there_are(tables: Mapping[str, pl.LazyFrame]) -> str:
    columns = "; ".join(f"{name}: {', '.join(table.collect_schema())}" for name, table in tables.items())
    return f"there are {columns}; a column named as a word of SQL stands in double quotes"


@contextmanager
def as_usage_error(origin: str, hint: str) -> Iterator[None]:
    """Turn what Polars says of the user's SQL into a `UsageError`, without values of the rows."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        known = hint if "TRY_CAST" in hint else cure(error) or hint
        raise UsageError(f"{origin}: {cause(error)}", hint=known) from None


def cause(error: BaseException) -> str:
    """What Polars says of SQL, in a line, without values of the rows."""
    first = next(iter(str(error).splitlines()), type(error).__name__)[:1_000]
    if PARSED.search(first) is not None:
        return _of_parser(first)
    return NOT_FOR_USERS.sub("", VALUES_SHOWN.sub("", first))[:400]


def _of_parser(said: str) -> str:
    """What the parser says, without how it holds what it has parsed.

    Examples:
        >>> _of_parser('expression SimilarTo { negated: false, expr: Identifier(Ident { value: "a"')
        'SIMILAR TO is not read'
        >>> _of_parser('invalid interval Interval { value: Identifier(Ident { value: "a"')
        'invalid interval'
    """
    if said.startswith("expression Tuple"):
        return "several values side by side, where one is meant"
    if (kind := KIND.match(said)) is not None:
        return f"{' '.join(WORDS.findall(kind[1])).upper()} is not read"
    return HELD.sub("", said)


def cure(error: BaseException, time: str = "time", text: str = "name") -> str | None:
    """What to type where types do not go together; None where it is something else.

    Args:
        error: What Polars says.
        time: A column of times, for the example.
        text: A column of texts, for the example.
    """
    said = str(error)
    return next((words.format(time=time, text=text) for sign, words in CURES if sign.search(said)), None)


def _checked(text: str, origin: str) -> Sequence[Token]:
    """The words of a text that asks for no file.

    Raises:
        UsageError: If it does, or cannot be cut into words for sure.
    """
    words = list(tokens(text, origin))
    if sum(word.kind not in ("text", "number") and word.text != "," for word in words) > MOST_WORDS:
        raise UsageError(f"{origin}: more than {MOST_WORDS:,} words of SQL", hint="x IN (…) may be of any length")
    refuse_table_function(words, origin)
    refuse_two_meanings(words, origin)
    return words
