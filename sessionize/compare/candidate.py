"""What is compared."""

from __future__ import annotations

from sessionize.config import Rules
from sessionize.definitions import Definition
from sessionize.values import NamedTuple


class Candidate(NamedTuple):
    """One of those that are compared.

    Attributes:
        name: Name of the definition.
        rules: Where its sessions end.
        definition: What it calls bounced and engaged; None for ours.
        optional: Names that split which the log may lack.
    """

    name: str
    rules: Rules
    definition: Definition | None = None
    optional: frozenset[str] = frozenset()
