"""What Polars reads otherwise than SQL has it, or knows by another name: edits of a text, word by word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sessionize.errors import UsageError
from sessionize.sql_tokens import NOTHING, Token

Edit = tuple[int, int, str]
"""From where to where in a text, and what is to stand there."""
LOOSER: Final = frozenset({
    "and", "by", "else", "having", "not", "on", "or", "select", "then", "when", "where", "xor",
})  # fmt: skip
"""Words that a condition with IS does not reach beyond."""
INFIX: Final = frozenset({"between", "ilike", "in", "is", "like", "regexp", "rlike", "similar"})
"""What NOT may stand before as a part of it."""


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text with the edits made."""
    for start, end, new in sorted(edits, reverse=True):
        text = f"{text[:start]}{new}{text[end:]}"
    return text


def meant(words: Sequence[Token]) -> list[Edit]:
    """What Polars reads otherwise than SQL has it."""
    return [*_floats(words), *_truths(words)]


def _truths(words: Sequence[Token]) -> Iterator[Edit]:
    """``IS [NOT] TRUE`` and ``FALSE``, which are never null: null is not true."""
    for place, word in enumerate(words):
        if word.keyword != "is":
            continue
        is_not = place + 1 < len(words) and words[place + 1].keyword == "not"
        truth = words[place + 1 + is_not] if place + 1 + is_not < len(words) else NOTHING
        if truth.keyword in ("true", "false"):
            start = words[_operand(words, place)].start
            yield start, start, "("
            yield word.start, truth.start, "IS DISTINCT FROM " if is_not else "IS NOT DISTINCT FROM "
            yield truth.end, truth.end, ")"  # Polars' parser would take all that follows for what it is compared with


def _operand(words: Sequence[Token], place: int) -> int:
    """Where the condition begins that an IS stands behind: it binds looser than all but NOT, AND and OR."""
    depth = 0
    for at in range(place - 1, -1, -1):
        word, behind = words[at], words[at + 1].keyword
        depth += _closes(word) - _opens(word)
        if depth < 0 or (not depth and word.kind == "sign" and word.text == ","):
            return at + 1
        if depth:
            continue
        is_infix = word.keyword == "not" and (behind in INFIX or words[at - 1 if at else 0].keyword == "is")
        if word.keyword in LOOSER and not is_infix and not (word.keyword == "and" and _is_of_between(words, at)):
            return at + 1
    return 0


def _is_of_between(words: Sequence[Token], place: int) -> bool:
    """Whether an AND is that of BETWEEN, which stands before it with no other AND between."""
    depth = 0
    for word in reversed(words[:place]):
        depth += _closes(word) - _opens(word)
        if depth < 0 or (not depth and word.keyword in LOOSER - {"not"}):
            return False
        if not depth and word.keyword == "between":
            return True
    return False


def _floats(words: Sequence[Token]) -> Iterator[Edit]:
    """Numbers with a point as floats, ``0.5e0``: Polars' decimals, which they would be, lose digits when they are divided."""
    for before, point, number, behind in zip(*(([NOTHING, *words, NOTHING])[at:] for at in range(4)), strict=False):
        is_fraction = point.text == "." and number.kind == "number" and number.start == point.end
        of_name = before.kind in ("word", "quoted") or before.text in (")", "]")
        has_exponent = behind.kind == "word" and behind.start == number.end
        if is_fraction and not (of_name and before.end == point.start) and not has_exponent:
            yield number.end, number.end, "e0"


def nth(text: str, words: Sequence[Token], origin: str) -> Iterator[Edit]:
    """``nth(x, 2)`` as Polars knows it: ``array_get(array_agg(x), 2)``; a filter behind it is the inner one's."""
    for place, word in enumerate(words[:-1]):
        if word.keyword not in ("nth", "nth_value") or words[place + 1].text != "(":
            continue
        comma = _last_comma(words, place + 1)
        if comma is None:
            raise UsageError(f"{origin}: {word.text} takes a value and a number", hint="for example nth(page, 2)")
        found = _filter(words, place + 1)
        kept = "" if found is None else f" {text[found[0] : found[1]]}"
        yield word.start, word.end, "array_get(array_agg"
        yield comma.start, comma.end, f"){kept},"
        if found is not None:
            yield (*found, "")


def refuse_two_meanings(words: Sequence[Token], origin: str) -> None:
    """Refuse ``log(2, x)``: the base stands first in most systems and last in others, so in Polars.

    Raises:
        UsageError: If it is there.
    """
    for word, following, place in zip(words, words[1:], range(1, len(words)), strict=False):
        if word.keyword == "log" and following.text == "(" and _last_comma(words, place) is not None:
            raise UsageError(
                f"{origin}: systems do not agree on which of log(a, b) is the base",
                hint="log2(x), log10(x), or ln(x) / ln(3)",
            )


def _filter(words: Sequence[Token], opening: int) -> tuple[int, int] | None:
    """From where to where ``FILTER (…)`` stands behind a pair of brackets; None where it does not."""
    behind = _closing(words, opening) + 1
    if behind + 1 >= len(words) or words[behind].keyword != "filter" or words[behind + 1].text != "(":
        return None
    end = _closing(words, behind + 1)
    return (words[behind].start, words[end].end) if end < len(words) else None


def _closing(words: Sequence[Token], opening: int) -> int:
    """Place of the bracket that closes one; behind the last word where none does."""
    depth = 0
    for place, word in enumerate(words[opening:], opening):
        depth += _opens(word) - _closes(word)
        if not depth:
            return place
    return len(words)


def _last_comma(words: Sequence[Token], opening: int) -> Token | None:
    """The last comma in a pair of brackets and in none inside it; None where there is none."""
    depth, found = 0, None
    for word in words[opening:]:
        depth += _opens(word) - _closes(word)
        if not depth:
            break
        if depth == 1 and word.kind == "sign" and word.text == ",":
            found = word
    return found


def _opens(word: Token) -> bool:
    return (word.kind == "sign" and word.text == "(") or word.keyword == "case"


def _closes(word: Token) -> bool:
    return (word.kind == "sign" and word.text == ")") or word.keyword == "end"
