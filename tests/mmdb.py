"""A writer of small MaxMind databases, by the file format's specification (version 2.0)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

MARKER = b"\xab\xcd\xefMaxMind.com"


def write(path: Path, places: Mapping[str, Mapping[str, Any]]) -> Path:
    """A database of IPv6 trees, IPv4 networks under ``::/96``, that holds the places."""
    nodes: list[list[int | None]] = [[None, None]]
    data, offsets = b"", {}
    for network, place in places.items():
        offsets[network] = len(data)
        data += encoded(place)
    leaves: dict[tuple[int, int], int] = {}
    for network in places:
        bits = _bits(network)
        node = 0
        for bit in bits[:-1]:
            following = nodes[node][bit]
            if following is None:
                nodes.append([None, None])
                following = nodes[node][bit] = len(nodes) - 1
            node = following
        leaves[node, bits[-1]] = offsets[network]
    count = len(nodes)
    tree = b"".join(
        _record(count + 16 + leaves[number, side] if (number, side) in leaves else node[side], count)
        for number, node in enumerate(nodes)
        for side in (0, 1)
    )
    about = {
        "node_count": _number(6, count), "record_size": _number(5, 24), "ip_version": _number(5, 6),
        "database_type": "Test-City", "languages": ["en"], "description": {"en": "made by a test"},
        "binary_format_major_version": _number(5, 2), "binary_format_minor_version": _number(5, 0),
        "build_epoch": _number(9, 1700000000),
    }  # fmt: skip
    path.write_bytes(tree + bytes(16) + data + MARKER + encoded(about))
    return path


def _bits(network: str) -> list[int]:
    net = ip_network(network)
    number, length = int(net.network_address), net.prefixlen
    if net.version == 4:
        length += 96
    return [(number >> (127 - place)) & 1 for place in range(length)]


def _record(value: int | None, count: int) -> bytes:
    return (count if value is None else value).to_bytes(3, "big")


def encoded(value: Any) -> bytes:
    """A value of the data section."""
    match value:
        case str():
            return _control(2, len(value.encode())) + value.encode()
        case float():
            return _control(3, 8) + struct.pack(">d", value)
        case bytes():
            return value
        case list():
            return _control(11, len(value)) + b"".join(map(encoded, value))
        case _:
            pass
    return _control(7, len(value)) + b"".join(encoded(key) + encoded(inner) for key, inner in value.items())


def _number(kind: int, value: int) -> bytes:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(raw)) + raw


def _control(kind: int, size: int) -> bytes:
    sized = min(size, 29)
    more = b"" if size < 29 else bytes([size - 29])
    assert size < 29 + 256
    return (bytes([kind << 5 | sized]) if kind < 8 else bytes([sized, kind - 7])) + more
