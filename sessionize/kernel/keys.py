"""The session key: what ties events to a visitor's visit (semantics, section 1).

Inside the kernel a key is an integer, given out by a dictionary of the keys' texts. Its text is made once a session.
"""

from __future__ import annotations

import polars as pl

from sessionize.kernel.dictionaries import coded
from sessionize.schema import PROFILE_ID, SESSION_ID


def key_codes(events: pl.DataFrame) -> pl.Series:
    """A code for each row's key: equal for two rows exactly if they have the same key.

    Args:
        events: Canonical events; each has a session id or a profile id.

    Returns:
        A UInt32 column with one code a row, in the order of the rows.
    """
    if SESSION_ID not in events.columns:
        return coded(events[PROFILE_ID]).to_physical()
    sessions = coded(events[SESSION_ID]).to_physical()
    if not sessions.null_count() or PROFILE_ID not in events.columns:
        return sessions
    profiles = coded(events[PROFILE_ID]).to_physical()
    first_free = (sessions.max() or 0) + 1  # type: ignore[operator]  # a UInt32's max is an int or None
    return pl.select(pl.coalesce(sessions, profiles + first_free)).to_series()


def key_text(ids: pl.DataFrame) -> pl.Series:
    """The key as text: a session id as it is, a profile id behind ``p:``.

    A session id that looks like a marked one is itself marked ``s:``, so that no two keys share a text.

    Args:
        ids: Columns ``source_id`` (the log's session id), ``profile_id`` or both.

    Returns:
        A String column, one text a row.

    Examples:
        >>> key_text(pl.DataFrame({"source_id": ["42", None, "p:42", "p;"], "profile_id": [None, "42", None, None]})).to_list()
        ['42', 'p:42', 's:p:42', 'p;']
    """
    profile = pl.concat_str(pl.lit("p:"), pl.col(PROFILE_ID))
    if "source_id" not in ids.columns:
        return ids.select(profile.alias("key")).to_series()
    session = pl.col("source_id")
    # From "p:" up to "p;", as ";" follows ":": the texts that start with it, found much faster.
    looks_marked = ((session >= "p:") & (session < "p;")) | ((session >= "s:") & (session < "s;"))
    if ids.select(looks_marked.any()).item():
        session = pl.when(looks_marked).then(pl.concat_str(pl.lit("s:"), session)).otherwise(session)
    if ids["source_id"].null_count():
        session = pl.coalesce(session, profile)
    return ids.select(session.alias("key")).to_series()
