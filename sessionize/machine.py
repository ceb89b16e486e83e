"""What the machine has: memory for this process, and a processor that sorts in one way faster than in another.

Loaded before all else: it takes nothing that takes a while to load.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from sessionize.values import NamedTuple

LITTLE: Final = 4_000_000_000
"""Bytes of memory under which it is short, even if no limit was given."""
CGROUPS: Final = "/sys/fs/cgroup"
OWN_CGROUPS: Final = "/proc/self/cgroup"
PROCESSORS: Final = "/proc/cpuinfo"
FIRST_PROCESSOR: Final = 4096
"""Bytes in which the first one is described."""
ZEN_4: Final = (25, (range(0x10, 0x20), range(0x60, 0x80), range(0xA0, 0xB0)))
"""Family and models of AMD's processors that have AVX-512 and store compressed vectors by microcode."""
WITHOUT_AVX512: Final = "X86_V4 AVX512_ICL"
"""What NumPy is told not to use (NPY_DISABLE_CPU_FEATURES): it then sorts by AVX2."""


class Processor(NamedTuple):
    """A processor.

    Attributes:
        vendor: As ``AuthenticAMD``.
        name: As its maker calls it.
        family: Number of its family.
        model: Number within the family.
        features: What it can do beside the usual.
    """

    vendor: str = ""
    name: str = ""
    family: int = 0
    model: int = 0
    features: frozenset[str] = frozenset()

    @property
    def sorts_faster_without_avx512(self) -> bool:
        """Whether NumPy's sort by AVX-512 takes several times as long as the one by AVX2: measured, up to seven times."""
        family, models = ZEN_4
        is_one = self.vendor == "AuthenticAMD" and self.family == family and any(self.model in each for each in models)
        return is_one and {"avx512f", "avx512_vbmi2"} <= self.features


def processor() -> Processor:
    """The first processor; of another system than Linux nothing is known."""
    try:
        with open(PROCESSORS, encoding="utf-8", errors="replace") as file:
            text = file.read(FIRST_PROCESSOR)
    except OSError:
        return Processor()
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}
    try:
        family, model = int(told.get("cpu family", 0)), int(told.get("model", 0))
    except ValueError:
        family = model = 0
    features = frozenset(told.get("flags", "").split())
    return Processor(told.get("vendor_id", ""), told.get("model name", ""), family, model, features)


def available() -> int:
    """Bytes of memory that this process may have."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(limit for path in _files() if (limit := _limit(path)) is not None)])


def _files() -> Iterator[str]:
    """Files that may hold a limit: of the process's control groups, and of those that these are in."""
    yield from _of("", is_first=False)
    yield from _of("", is_first=True)
    with suppress(OSError):
        with open(OWN_CGROUPS, encoding="utf-8") as file:
            lines = file.read().splitlines()
        for line in lines:
            _, controllers, path = line.split(":", 2)
            if not controllers or "memory" in controllers.split(","):
                yield from _of(path, is_first=bool(controllers))


def _of(path: str, *, is_first: bool) -> Iterator[str]:
    """The files of a group and of those above it; version 1 of control groups has them elsewhere than version 2."""
    root, name = (f"{CGROUPS}/memory", "memory.limit_in_bytes") if is_first else (CGROUPS, "memory.max")
    names = [part for part in path.split("/") if part]
    for depth in range(len(names), -1, -1):
        yield "/".join((root, *names[:depth], name))


def _limit(path: str) -> int | None:
    try:
        with open(path, encoding="utf-8") as file:
            return int(file.read())
    except (OSError, ValueError):  # none there, or "max"
        return None
