"""The words of SQL, cut as Polars' parser cuts them, and the table functions among them, which open what they are told to.

What Polars would cut in another way (prefixed strings, ``$$``) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.values import NamedTuple

READS_FILES: Final = pattern(r"(read|scan)_\w*", re.IGNORECASE)
"""Names of Polars' table functions that open a file or a URL, those to come included."""
OPENS_RELATION: Final = frozenset({"from", "join", "lateral", "table"})
ENDS_RELATIONS: Final = frozenset(
    {"select", "where", "group", "having", "order", "limit", "union", "qualify", "window"}
)
TAKES_FROM: Final = frozenset({"extract", "overlay", "position", "substring", "trim"})
"""Functions in whose brackets FROM is no more than a word."""
LEXER: Final = pattern(
    r"""
    (?P<comment> --[^\n]* | /\* )
  | (?P<text>    '(?:[^']|'')*' )
  | (?P<quoted>  "(?:[^"]|"")*" | `(?:[^`]|``)*` )
  | (?P<word>    [^\W\d]\w* )
  | (?P<number>  \d+ )
  | (?P<sign>    [^\w\s] )
  | (?P<space>   \s+ )
    """,
    re.VERBOSE,
)
COMMENT_EDGE: Final = pattern(r"/\*|\*/")


class Token(NamedTuple):
    """One word of SQL, and where it stands; the text of a quoted one is its content."""

    kind: str
    text: str
    start: int = 0
    end: int = 0

    @property
    def keyword(self) -> str:
        """In lower case, if it is a bare word."""
        return self.text.lower() if self.kind == "word" else ""


NOTHING: Final = Token("space", "")


def tokens(text: str, origin: str) -> Iterator[Token]:
    """The words of a text, without comments and spaces.

    Args:
        text: SQL, or what may be.
        origin: Option or setting that it comes from, for the message.

    Raises:
        UsageError: If it cannot be cut into words for sure.
    """
    at, before = 0, NOTHING
    while at < len(text):
        found = LEXER.match(text, at)
        assert found is not None  # the kinds cover every character
        at, kind, said = found.end(), str(found.lastgroup), found.group()
        if said == "/*":
            at = _comment_end(text, at)
        glued = kind in ("text", "quoted") and before.kind == "word"
        if glued or (kind == "sign" and said in ("'", '"', "`", "$")) or said == "\0":
            raise UsageError(
                f"{origin}: cannot read this SQL from {text[found.start() :][:20]!r} on",
                hint="texts stand in '…', names in \"…\"; nothing stands before the quote, and a quote inside is doubled",
            )
        before = Token(kind, said[1:-1] if kind in ("text", "quoted") else said, found.start(), found.end())
        if kind not in ("comment", "space"):
            yield before


def _comment_end(text: str, at: int) -> int:
    """Where a comment ends that may hold others."""
    depth = 1
    for edge in COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge.group() == "/*" else -1
        if not depth:
            return edge.end()
    return len(text)


def refuse_table_function(words: Sequence[Token], origin: str) -> None:
    """Raise UsageError for words that ask for a file, a URL or rows of what is no table."""
    called = _table_function(words)
    if called is not None:
        raise UsageError(
            f"{origin}: {called} is a table function; SQL sees what it was given, no files and no URLs",
            hint="ask for the columns and tables that there are",
        )


class _Level:
    """What is known inside a pair of brackets.

    Attributes:
        relations: Whether a name here is one of a table.
        from_is_a_word: Whether FROM belongs to the function before the bracket.
    """

    def __init__(self, *, relations: bool, from_is_a_word: bool) -> None:
        self.relations = relations
        self.from_is_a_word = from_is_a_word


def _table_function(words: Sequence[Token]) -> str | None:
    """The first function that stands for a table, or opens a file; None where there is none."""
    levels = [_Level(relations=False, from_is_a_word=False)]
    before = NOTHING
    for word, following in zip(words, [*words[1:], NOTHING][: len(words)], strict=True):
        level = levels[-1]
        in_place = level.relations and (before.keyword in OPENS_RELATION or before.text in (",", "("))
        is_called = word.kind in ("word", "quoted", "text") and following.text == "(" and following.kind == "sign"
        if is_called and (READS_FILES.fullmatch(word.text) or (in_place and not _makes_rows(word))):
            return word.text
        if word.kind == "sign" and word.text == "(":
            levels.append(_Level(relations=in_place, from_is_a_word=before.keyword in TAKES_FROM))
        elif word.kind == "sign" and word.text == ")":
            levels = levels[:-1] or [_Level(relations=False, from_is_a_word=False)]
        elif word.keyword in OPENS_RELATION:
            level.relations = level.relations or not level.from_is_a_word
        elif word.keyword in ENDS_RELATIONS:
            level.relations, level.from_is_a_word = False, level.from_is_a_word and word.keyword != "select"
        before = word
    return None


def _makes_rows(word: Token) -> bool:
    """Whether it makes rows of what stands in its brackets, and of nothing else."""
    return word.keyword in ("unnest", "values", "select", "lateral")
