"""What the row already tells: campaigns in URLs, pages as paths; bots left out, ids and addresses made private.

Between `normalise` and `sessionize`. Row-local, worked out once for each different text.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_plus

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.agents import are_bots
from sessionize.kernel.dictionaries import coded
from sessionize.kernel.preset_columns import distinctly
from sessionize.kernel.privacy import hashed, is_address, is_id, truncated
from sessionize.values import NamedTuple

PAGE_HOST: Final = "page_host"
"""Column of the pages' hosts, where the pages themselves are cut to their paths but the hosts are still needed."""
HOST: Final = r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?([^/?#:]+|\[[^\]]*\])"
BEFORE_PATH: Final = r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*"
BEHIND_PATH: Final = r"[?#].*$"


class Enriched(NamedTuple):
    """The events, and how many of bots were left out.

    Attributes:
        events: Canonical events with what their rows tell.
        bots: Events of bots that are no longer among them; 0 unless asked for.
    """

    events: pl.DataFrame
    bots: int


def enriched(events: pl.DataFrame, plan: Plan) -> Enriched:
    """Canonical events with what their own rows tell.

    Args:
        events: Canonical events as `normalise` gives them.
        plan: What is asked for; without any of it only pages with ``utm_`` in them are looked at.
    """
    read = events.height
    if plan.exclude_bots:
        bots = are_bots(events[schema.USER_AGENT].cast(pl.String))
        events = events.filter(~bots.fill_null(value=False))
    left_out = read - events.height
    if plan.utm_in_page:
        events = events.with_columns(campaigns(events[schema.PAGE]))
    if plan.page_path and schema.PAGE in events.columns:
        events = events.with_columns(_paths(events[schema.PAGE], plan))
    return Enriched(events.with_columns(_private(events, plan)), left_out)


def enriched_columns(plan: Plan) -> tuple[str, ...]:
    """Columns that `enriched` and `with_derived_splits` may add, all of them text; which they do depends on the events."""
    host = (PAGE_HOST,) if plan.page_path and plan.channels and schema.PAGE in plan.columns else ()
    splits = (schema.SPLIT_PREFIX + name for name in plan.derived_splits)
    return (*(schema.UTM if plan.utm_in_page else ()), *host, *splits)


def campaigns(pages: pl.Series) -> list[pl.Series]:
    """The utm fields in the query strings of pages; none where no page has any.

    Examples:
        >>> found = campaigns(pl.Series(["/?utm_source=news+letter&UTM_Medium=e%2Dmail#top", "/plain", None]))
        >>> [(column.name, column.to_list()) for column in found]
        [('utm_source', ['news letter', None, None]), ('utm_medium', ['e-mail', None, None])]
        >>> campaigns(pl.Series(["/?utm%5Fsource=&utm_source=news"]))[0].item()
        'news'
    """
    dictionary = _Dictionary(pages)
    if not dictionary.texts.str.contains_any(["utm_", "utm%5f"], ascii_case_insensitive=True).any():
        return []
    return [
        dictionary.each(distinctly(values, _decoded)).alias(field)
        for field in schema.UTM
        if (values := dictionary.texts.str.extract(_in_query(field))).null_count() < len(values)
    ]


def _in_query(field: str) -> str:
    """Where a query string has the field, its name percent-encoded or not, with anything in it."""
    return rf"(?i)[?&]{field.replace('_', '(?:_|%5F)')}=([^&#]+)"


class _Dictionary:
    """A column of few different texts, each of which is to be looked at once.

    Attributes:
        texts: Each different text of the column; no null.
    """

    def __init__(self, column: pl.Series) -> None:
        words = coded(column)
        self._codes = words.to_physical()
        self._size = int(self._codes.max() or 0) + 1  # type: ignore[arg-type]  # a UInt32's max is an int or None
        # Marking what is seen is ten times faster than `unique`.
        seen = np.zeros(self._size, dtype=np.bool_)
        seen[self._codes.drop_nulls().to_numpy()] = True
        self._seen = pl.Series(np.flatnonzero(seen), dtype=pl.UInt32)
        self.texts = self._seen.cat.to(words.dtype).cast(pl.String)

    def each(self, values: pl.Series) -> pl.Series:
        """A text for each row of the column, given one for each of `texts`."""
        by_code = pl.repeat(None, self._size, dtype=pl.String, eager=True).scatter(self._seen, values)
        return by_code.gather(self._codes)


def _decoded(text: str) -> str | None:
    return unquote_plus(text).strip() or None


def _paths(pages: pl.Series, plan: Plan) -> list[pl.Series]:
    dictionary = _Dictionary(pages)
    paths = dictionary.texts.str.replace(BEFORE_PATH, "").str.replace(BEHIND_PATH, "")
    paths = pl.select(pl.when(paths == "").then(pl.lit("/")).otherwise(paths)).to_series()
    found = [dictionary.each(paths).alias(schema.PAGE)]
    if plan.channels:
        found.append(dictionary.each(dictionary.texts.str.extract(HOST)).alias(PAGE_HOST))
    return found


def _private(events: pl.DataFrame, plan: Plan) -> list[pl.Series]:
    found = []
    if plan.ip == "truncate" and schema.IP in events.columns:
        found.append(truncated(events[schema.IP].cast(pl.String)).alias(schema.IP))
    key = plan.hash_key
    if key is not None:
        there = [name for name in schema.ID_ROLES if name in events.columns]
        found.extend(_hashed(events[name], key).alias(name) for name in there)
    for name, reference in _copies(plan).items():
        if name not in events.columns:
            continue
        if key is not None and is_id(reference, plan):
            found.append(_hashed(events[name], key).alias(name))
        elif plan.ip != "full" and is_address(reference, plan):
            networks = truncated(events[name].cast(pl.String))
            found.append((hashed(networks, key or b"") if plan.ip == "drop" else networks).alias(name))
    return found


def _copies(plan: Plan) -> dict[str, str]:
    """Columns of events beside the roles' that hold what the log has, and what they hold."""
    splits = {schema.SPLIT_PREFIX + name: plan.splits.get(name, (name,)) for name in plan.rules.split_names}
    found = {name: columns[0] for name, columns in splits.items() if columns}
    found |= {schema.PROPERTY_PREFIX + name: name for name in plan.guarded}
    for own in plan.own:
        prefix = schema.OWN_PREFIX if own.kind == "dimension" else schema.USE_PREFIX
        found |= {prefix + name: reference for name, reference in own.uses.items() if own.kind != "goal"}
    return found


def _hashed(ids: pl.Series, key: bytes) -> pl.Series:
    if not isinstance(ids.dtype, pl.Categorical):
        return hashed(ids, key)
    dictionary = _Dictionary(ids)
    return dictionary.each(hashed(dictionary.texts, key))


def private_events(events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Events as they are written: addresses gone where they are to be dropped."""
    if plan.ip == "drop" and schema.IP in events.columns:
        events = events.drop(schema.IP)
    return events.drop(PAGE_HOST, strict=False)
