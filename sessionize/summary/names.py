"""What an event is called in a shell: its page where it is a page view, else its type; and the names that steps match.

Row-local. Events are canonical ones, their texts no codes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from sessionize import schema, sql
from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.summary.expressions import OPERATORS, Sql
from sessionize.values import NamedTuple

PAGE_PREFIX: Final = "page:"
ADDRESS: Final = pattern(r"[A-Za-z*][A-Za-z0-9+.*-]*://")
OURS: Final = "sessionize."
"""Begins columns that are no part of the log."""
NUMBERS: Final = (
    r"([/=])(?:[0-9]+|[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|[0-9A-Fa-f]*[0-9][0-9A-Fa-f]*[0-9A-Fa-f]{7})([/?&#.;]|$)"
)
"""A number, a UUID or a hex id of 8 digits or more that stands alone in a path or a query."""
MOST_KNOWN: Final = 10_000
"""Names that are kept to say which there are."""


class Step(NamedTuple):
    """What one step of a funnel or an end of a path matches.

    Attributes:
        text: Step as it was typed.
        matches: Whether an event is it; null means no.
        named: Whether it is a name that the log must have, no SQL and no pattern.
        missing: Columns that it would name, were it SQL, and the events have not.
        columns: Columns that it could name.
    """

    text: str
    matches: pl.Expr
    named: bool
    missing: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def step(
    text: str,
    columns: Mapping[str, pl.DataType],
    option: str,
    timezone: str = "UTC",
    names: Mapping[str, str] | None = None,
) -> Step:
    """What a step means for events with these columns.

    Args:
        text: A goal's name, an event type, ``page:`` and a page in which ``*`` is any text, or SQL over the events.
        columns: The events' columns and their types.
        option: Option that it was typed after.
        timezone: IANA zone of times that say none.
        names: What the log's own columns are called among the events' columns.

    Raises:
        UsageError: If it asks for a page and the log has none.
    """
    goal = schema.GOAL_PREFIX + text
    if goal in columns:
        return Step(text, pl.col(goal).cast(pl.String) == "true", named=False)
    if text.startswith(PAGE_PREFIX) or (looks_like_page(text) and schema.PAGE in columns):
        if schema.PAGE not in columns:
            raise UsageError(f"{option} {text!r}: the log has no page", hint="say which column it is with --page COL")
        pattern = text.removeprefix(PAGE_PREFIX)
        return Step(text, _is_page(pattern), named="*" not in pattern)
    visible = {name: kind for name, kind in columns.items() if not name.startswith(OURS)}
    prefix = schema.PROPERTY_PREFIX
    carried = {name.removeprefix(prefix): name for name in visible if name.startswith(prefix)}
    others = {**carried, **(names or {})}
    # A dimension of the same name says what the session's first event had, not what each has.
    visible = {name: kind for name, kind in visible.items() if others.get(name, name) not in columns.keys() - {name}}
    asked = Sql(visible, option, timezone, others)
    condition = asked.condition_or_none(text)
    if condition is not None:
        return Step(text, condition, named=False)
    if schema.EVENT_TYPE in columns:
        missing = [name for name in asked.names_in(text) if name not in visible] if OPERATORS.search(text) else []
        there = (*visible, *asked.names)
        return Step(text, pl.col(schema.EVENT_TYPE) == text, named=True, missing=tuple(missing), columns=there)
    if schema.PAGE in columns:
        return Step(text, _is_page(text), named="*" not in text)
    raise UsageError(
        f"{option} {text!r}: the log has neither event types nor pages",
        hint="say which column holds them with --event-type COL or --page COL",
    )


def looks_like_page(text: str) -> bool:
    """Whether a name can only be a page: a path or an address."""
    return text.startswith("/") or ADDRESS.match(text) is not None


def is_path(pattern: str) -> bool:
    """Whether a pattern of pages is compared with paths alone, whatever host and query string they have."""
    return pattern.startswith("/") and "?" not in pattern


def _is_page(pattern: str) -> pl.Expr:
    """Whether the page is one; of an address only the path is compared with a path."""
    page = pl.col(schema.PAGE)
    if pattern.startswith("/"):
        page = page.str.replace(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "")
        if is_path(pattern):
            page = page.str.replace(r"[?#].*$", "")
    if "*" not in pattern:
        return page == pattern
    return page.str.contains("^(?s:" + ".*".join(map(re.escape, pattern.split("*"))) + ")$")


class Known:
    """Gathers the names that a log has, to say which there are where one is asked for that there is not."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._pages: set[str] = set()

    def add(self, events: pl.DataFrame) -> None:
        """Take the names of some events."""
        for role in (schema.EVENT_TYPE, schema.PAGE):
            if role in events.columns and len(self._numbers) < MOST_KNOWN:
                found = events[role].drop_nulls().value_counts(sort=True).head(MOST_KNOWN)
                for name, number in found.iter_rows():
                    if role == schema.EVENT_TYPE:
                        self._pages.discard(name)
                    elif name not in self._numbers:
                        self._pages.add(name)
                    self._numbers[name] = self._numbers.get(name, 0) + number

    @property
    def commonest_first(self) -> list[str]:
        """The names, the commonest first."""
        return sorted(self._numbers, key=lambda name: (-self._numbers[name], name))

    def typed(self, name: str) -> str:
        """A name as a step has it: a page that could be an event type says that it is none."""
        return name if name not in self._pages or looks_like_page(name) else PAGE_PREFIX + name


def never_there(step: Step, known: Known, option: str) -> None:
    """Raise UsageError for a step that names what the log has not; a pattern or SQL may match nothing.

    Args:
        step: One that matched no event.
        known: The names that the log has.
        option: Option that the step was typed after.
    """
    if step.named:
        sql.check_no_table_function(step.text, option)
    names = known.commonest_first
    if not step.named or not names:
        return
    if step.missing:
        columns = difflib.get_close_matches(step.missing[0], step.columns, n=1)
        raise UsageError(
            f"{option} {step.text!r}: events have no column {step.missing[0]!r}, and none is of that type",
            hint=(f"did you mean {columns[0]!r}? " if columns else "")
            + f"there are {', '.join(dict.fromkeys(step.columns))}",
        )
    name = step.text.removeprefix(PAGE_PREFIX)
    near = [other for other in names if schema.spelling(other) == schema.spelling(name)]
    near = [known.typed(other) for other in [*near, *difflib.get_close_matches(name, names, n=1, cutoff=0.6)]]
    near = [other for other in near if other != step.text]
    there = ", ".join(map(known.typed, names[:12])) + (", …" if len(names) > 12 else "")
    raise UsageError(
        f"{option} {step.text!r}: no event of the log is that" + (f"; did you mean {near[0]!r}?" if near else ""),
        hint=f"there are {there}",
    )


def labels(columns: Collection[str], page_views: tuple[str, ...] | None) -> pl.Expr:
    """The name of each event: the page of a page view, else the event type, else the page.

    Args:
        columns: The events' columns.
        page_views: Event types that are page views; None for the built-in ones in any spelling.
    """
    page = pl.col(schema.PAGE) if schema.PAGE in columns else pl.lit(None, pl.String)
    if schema.EVENT_TYPE not in columns:
        return page.fill_null("(no page)")
    kind = pl.col(schema.EVENT_TYPE)
    return pl.coalesce(pl.when(is_view(kind, page_views)).then(page), kind, page, pl.lit("(no type)"))


def is_view(kind: pl.Expr, page_views: tuple[str, ...] | None) -> pl.Expr:
    """Whether an event type is a page view."""
    if page_views is not None:
        return kind.is_in(list(page_views))
    spellings = sorted({schema.spelling(name) for name in schema.PAGE_VIEWS})
    return kind.str.replace_all(r"[^\p{L}\p{N}]", "").str.to_lowercase().is_in(spellings)


def folded(names: pl.Series) -> pl.Series:
    """Names with ``*`` for the numbers and hex ids in their paths.

    Returns:
        A String column, as long as the one that is given.

    Examples:
        >>> folded(pl.Series(["/p/17/42?id=9", "step 2", "/u/3f2c9a1b77"])).to_list()
        ['/p/*/*?id=*', 'step 2', '/u/*']
    """
    different = names.unique()
    short = different.str.replace_all(NUMBERS, "${1}*${2}")
    short = short.str.replace_all(NUMBERS, "${1}*${2}")  # two side by side share the sign between them
    return names.replace_strict(different, short)
