"""Lines of web servers' access logs: common, combined, with a virtual host in front, with a list of addresses."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.kernel.references import iso_of_clf
from sessionize.patterns import pattern

NO_TEXT: Final = pl.lit(None, dtype=pl.String)
FAULTS: Final = pl.Enum(schema.REASONS)
TEXT: Final = r'(?:[^"\\]|\\.)*'
V4: Final = r"\d{1,3}(?:\.\d{1,3}){3}"
V6: Final = r"[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%\w+)?"
ADDRESS: Final = rf"(?:{V4}|{V6})"
HOST: Final = rf'(?:[^\s:,"]+|{V4}:\d+|{V6}|\[{V6}\](?::\d+)?|unix:)'
"""An address, maybe with a port; or a name: what a colon stands in otherwise is something put in front of one."""
IN_A_LIST: Final = rf"(?:^|, ?)(?:({V4})(?::\d+)?|\[({V6})\](?::\d+)?|({V6}))(?:,|$)"
USER: Final = r'(?:""|\S[^"\[]*?)'
"""No part of another line, that is: no time and no request."""
CLIENT: Final = (
    rf'(?P<vhost1>[^\s,"]+) (?P<ip1>{ADDRESS}(?:, ?\S+)*,?) (?P<ident1>\S+) (?P<user1>{USER})',
    rf'(?P<vhost2>[^\s,"]+) (?P<ip2>{HOST}) (?P<ident2>-) (?P<user2>\S+)',
    rf"(?P<ip3>{HOST}(?:, ?\S+)*,?) (?P<ident3>-) (?P<user3>{USER})",
    rf"(?P<ip4>{HOST}(?:, ?\S+)*,?) (?P<ident4>\S+) (?P<user4>\S+)",
)
"""Who asked: with a virtual host before an address, or before a name that is no ident; else without.

A user may hold blanks only where there is no ident, as ever: else any text before a line would be one.
"""
ASKED: Final = rf'\[(?P<time>[^\]]+)\] "(?P<request>{TEXT})" (?P<status>[0-9]{{3}}|-) (?P<bytes>[0-9]+|-)'
AGENT: Final = rf'"(?P<referrer>{TEXT})" "(?P<user_agent>{TEXT})"'
BARE: Final = r'[^"\s]\S*'
CUT: Final = AGENT.removesuffix('"')
BEHIND: Final = rf'(?:(?: {BARE})*? (?:{CUT}(?:"(?: .*)?)?)|(?: (?:"{TEXT}"|{BARE}))*) ?'
"""Referrer and agent, which the line's end may cut, and what a server adds; a quote inside a text fits nothing."""
ACCESS: Final = rf"^(?:{'|'.join(CLIENT)}) {ASKED}{BEHIND}$"
"""A line in Apache's or nginx's ``combined`` format, or ``common``; what a server adds behind it is passed over."""
USUAL: Final = rf"^(?P<ip>\S+) - (?P<user>\S+) {ASKED}(?: {AGENT}(?: .*)?)?$"
"""What most of them look like: a line that it fits, and that has a USUAL_CLIENT, is read alike by ACCESS, which takes four
times as long."""
USUAL_CLIENT: Final = rf'^(?:[^:"]+|{V6})$'
STAMP: Final = r"\[\d{1,2}/[A-Za-z]{3}/\d{4}:[^\]]*\]"
TWO: Final = rf'{STAMP} ".*{STAMP} "'
"""Two lines in one, as a write that was cut short leaves them."""
CLIENT_AGAIN: Final = rf"{ADDRESS} \S+ \S+$"
BETWEEN: Final = '] "'
REQUEST: Final = r"^([A-Z]+) (\S.*?)(?: (HTTP/[0-9.]+))?$"
ESCAPE: Final = pattern(rb'\\(?:x([0-9a-fA-F]{2})|(["\\/])|([nrtbfv]))')
COLUMNS: Final = (
    "vhost", "ip", "ident", "user", "time", "instant", "request", "method", "page", "protocol", "status", "bytes",
    "referrer", "user_agent",
)  # fmt: skip
CONTROL: Final = dict(zip("nrtbfv", "\n\r\t\b\f\v", strict=True))


def access(lines: pl.DataFrame, wanted: Collection[str], *, as_written: bool = False) -> pl.DataFrame:
    """Lines of an access log; ``-`` is null, what is escaped inside quotes is itself again.

    Args:
        lines: ROW, FAULT and line.
        wanted: Columns to give.
        as_written: Whether ``instant``, the time in ISO 8601, is the time as it is written instead.
    """
    fields = _fields(lines["line"])
    request = pl.col("request").str.extract_groups(REQUEST).struct.rename_fields(["method", "page", "protocol"])
    instant = pl.col("time") if as_written else iso_of_clf(pl.col("time"))
    fields = fields.with_columns(
        request.struct.unnest(),
        fits=pl.col("ip").is_not_null() & ~_two_in_one(lines["line"], fields["user"]),
        instant=instant,
        ip=_first_address(fields["ip"]),
    )
    escaped = ("user", "request", "page", "referrer", "user_agent")
    fields = fields.with_columns(pl.when(pl.col(name) != "-").then(name).alias(name) for name in COLUMNS)
    fields = fields.with_columns(_unescaped(fields[name]) for name in escaped if name in wanted)
    fault = pl.coalesce(
        lines[schema.FAULT], pl.when(~fields["fits"]).then(pl.lit("malformed_row", dtype=FAULTS))
    ).alias(schema.FAULT)
    return pl.select(lines[schema.ROW], fault).hstack(fields.select(wanted))


def _fields(lines: pl.Series) -> pl.DataFrame:
    """What lines hold, each field as it is written; all null where a line is none of an access log."""
    fields = lines.str.extract_groups(USUAL).struct.unnest().with_columns(vhost=NO_TEXT, ident=NO_TEXT)
    odd = fields["ip"].str.contains('[:"]')
    if odd.any():
        odd &= ~fields["ip"].str.contains(USUAL_CLIENT)
    others = odd.fill_null(value=True).arg_true()
    if not len(others):
        return fields
    found = lines.gather(others).str.extract_groups(ACCESS).struct.unnest()
    found = found.with_columns(
        pl.coalesce("vhost1", "vhost2").alias("vhost"),
        *(pl.coalesce(f"{name}{way}" for way in range(1, 5)).alias(name) for name in ("ip", "ident", "user")),
    )
    return _with_host(fields.with_columns(fields[name].scatter(others, found[name]) for name in fields.columns))


def _two_in_one(lines: pl.Series, users: pl.Series) -> pl.Series:
    """Whether a line holds two, or the beginning of one and another; first what is cheaper to see, and is in each of these."""
    found = lines.str.count_matches(BETWEEN, literal=True) > 1
    found = found & lines.str.contains(TWO) if found.any() else found
    with_blanks = users.str.contains(" ", literal=True)
    return found | users.str.contains(CLIENT_AGAIN).fill_null(value=False) if with_blanks.any() else found


def _first_address(clients: pl.Series) -> pl.Series:
    """The client's address without its port, which is another for each connection; of a list the first, else its first name."""
    if not clients.str.contains("[,:]").any():
        return clients
    found = clients.str.extract_groups(IN_A_LIST).struct.unnest()
    return pl.select(pl.coalesce(*found, clients.str.extract("^([^,]+)"))).to_series()


def _with_host(fields: pl.DataFrame) -> pl.DataFrame:
    """A name before an address, where an ident would stand, is the virtual host: the server writes no ident."""
    ident, client = fields["ident"], fields["ip"]
    if ident.null_count() == len(ident):
        return fields
    is_host = ident.str.contains(rf"^{ADDRESS}$") & ~client.str.contains(rf"^{ADDRESS}")
    if not is_host.any():
        return fields
    chosen = pl.when(is_host)
    return fields.with_columns(
        vhost=chosen.then("ip").otherwise("vhost"),
        ip=chosen.then("ident").otherwise("ip"),
        ident=chosen.then(NO_TEXT).otherwise("ident"),
    )


def _unescaped(texts: pl.Series) -> pl.Series:
    if not texts.str.contains("\\", literal=True).any():
        return texts
    return pl.Series(
        texts.name, [text if text is None or "\\" not in text else _unescape(text) for text in texts], dtype=pl.String
    )


def _unescape(text: str) -> str:
    r"""The text as it was before the server escaped it; bytes that are no UTF-8 become replacement characters.

    Examples:
        >>> _unescape(r"say \"caf\xc3\xa9\"")
        'say "café"'
    """
    return _bytes(text).decode("utf-8", "replace")


def _bytes(text: str) -> bytes:
    def byte(found: re.Match[bytes]) -> bytes:
        number, itself, control = found.groups()
        if number:
            return bytes([int(number, 16)])
        return itself or CONTROL[control.decode()].encode()

    return ESCAPE.sub(byte, text.encode())
