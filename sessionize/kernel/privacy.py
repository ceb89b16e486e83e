"""Ids that cannot be guessed back, and addresses that name a network in place of a person. Row-local."""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.preset_columns import distinctly
from sessionize.kernel.references import roots
from sessionize.patterns import pattern

DIGEST_BYTES: Final = 16
LONGEST_KEY: Final = 64
"""Bytes of a key that BLAKE2b takes; a longer one is hashed down to it."""
PORT: Final = pattern(r"(?<=[0-9A-Fa-f:]):\d+$")
"""Behind an address of version 6 without brackets around it, as load balancers write it: it is none with it."""
KEPT_BITS: Final = {4: 24, 6: 48}
"""IP version → bits that stay of an address that is cut to its network, as Google Analytics 4 and Matomo have it."""


def is_id(reference: str, plan: Plan) -> bool:
    """Whether a column or reference reads an id: a column of one by its role, or by its usual name."""
    parts = _parts(reference)
    ids = {part for role in schema.ID_ROLES for name in plan.columns.get(role, ()) for part in _parts(name)}
    return any(
        part in ids or schema.spelling(part.rsplit(".", maxsplit=1)[-1]) in schema.ID_SPELLINGS for part in parts
    )


def is_address(reference: str, plan: Plan) -> bool:
    """Whether a column or reference reads an address: the role's column, or one of an address's usual names."""
    usual = {schema.spelling(name) for name in schema.ADDRESSES}
    known = {part for name in (*plan.addresses, schema.IP) for part in _parts(name)}
    return any(
        part in known or schema.spelling(part.rsplit(".", maxsplit=1)[-1]) in usual for part in _parts(reference)
    )


def is_hidden(reference: str, plan: Plan) -> bool:
    """Whether what a column or reference reads is made private: it is an id or an address, and that was asked for."""
    if plan.hash_key is not None and is_id(reference, plan):
        return True
    return plan.ip != "full" and is_address(reference, plan)


def _parts(reference: str) -> tuple[str, ...]:
    return (reference, *roots(reference))


def hashed(ids: pl.Series, key: bytes) -> pl.Series:
    """A keyed digest of each id: the same for the same id and key, for ever; null stays null.

    Args:
        ids: Ids as texts.
        key: Secret; without it an id that can be guessed could be tried.

    Returns:
        A String column, one digest for each id.

    Examples:
        >>> one, other = (hashed(pl.Series(["ann", None]), key) for key in (b"k" * 16, b"l" * 16))
        >>> one[0] == other[0], len(one[0]), one[1]
        (False, 32, None)
    """
    return distinctly(ids, lambda text: digest(text, key))


def digest(text: str, key: bytes) -> str:
    """The keyed digest of one id.

    Examples:
        >>> digest("ann", b"k" * 16) == hashed(pl.Series(["ann"]), b"k" * 16)[0]
        True
    """
    short = key if len(key) <= LONGEST_KEY else hashlib.blake2b(key).digest()
    return hashlib.blake2b(text.encode(), key=short, digest_size=DIGEST_BYTES).hexdigest()


def address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in a text as logs have it: the first of several, a port or a zone left out; None where there is none.

    Examples:
        >>> [str(address(text)) for text in ("203.0.113.7:443", "[2001:db8::1]:80", "10.0.0.1, 10.0.0.2", "-", "::ffff:1.2.3.4")]
        ['203.0.113.7', '2001:db8::1', '10.0.0.1', 'None', '1.2.3.4']
        >>> str(address("2001:db8:4538:1:bcf4:5264:e01c:f215:50718"))
        '2001:db8:4538:1:bcf4:5264:e01c:f215'
    """
    text = text.partition(",")[0].strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    found = _parsed(text.partition("%")[0]) or _parsed(PORT.sub("", text))
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def truncated(addresses: pl.Series) -> pl.Series:
    """The network of each address: /24 of IPv4, /48 of IPv6; null where there is no address in the text.

    Returns:
        A String column, one network for each address.

    Examples:
        >>> truncated(pl.Series(["203.0.113.7", "2001:db8:1:2::3", "unknown"])).to_list()
        ['203.0.113.0', '2001:db8:1::', None]
    """
    return distinctly(addresses, _network)


def _network(text: str) -> str | None:
    found = address(text)
    if found is None:
        return None
    return str(ip_network((found, KEPT_BITS[found.version]), strict=False).network_address)
