"""What ids look like: how long they are, and which kinds of letters they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from sessionize.engine.moments import Moments
from sessionize.values import NamedTuple

ALPHABETS: Final = {"upper case": r"\p{Lu}", "lower case": r"\p{Ll}", "digits": r"\d", "other": r"[^\p{L}\d]"}


class Form(NamedTuple):
    """What some texts look like.

    Attributes:
        length: Moments of the texts' lengths, in characters.
        with_each: Alphabet → how many of the texts have a letter of it.
    """

    length: Moments
    with_each: Mapping[str, int]


def forms(samples: Sequence[pl.Series]) -> list[Form]:
    """What the texts of each sample look like; all are looked at together, as asking for each takes longer than looking.

    Args:
        samples: Texts, one or more in each.

    Examples:
        >>> [form] = forms([pl.Series(["a1", "B"])])
        >>> form.length.mean, form.with_each
        (1.5, {'upper case': 1, 'lower case': 1, 'digits': 1, 'other': 0})
    """
    if not samples:
        return []
    texts = pl.concat(samples).alias("text").to_frame()
    looked_at = texts.select(
        pl.col("text").str.len_chars().alias("length"),
        *(pl.col("text").str.contains(letter).cast(pl.UInt8).alias(name) for name, letter in ALPHABETS.items()),
    )
    ends = np.cumsum([len(sample) for sample in samples])
    columns = {name: np.split(column.to_numpy(), ends[:-1]) for name, column in looked_at.to_dict().items()}
    return [
        Form(Moments().add(lengths), {name: int(columns[name][place].sum()) for name in ALPHABETS})
        for place, lengths in enumerate(columns["length"])
    ]
