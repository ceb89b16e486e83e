"""The small language in which columns are named, everywhere one may be: its grammar and its parser. Pure Python.

::

    reference = term { "??" term }                     the first that is not null or blank
    term      = "'" text "'"                           a fixed text; '' stands for a quote in it
              | function "(" reference { "," reference } ")"
              | column { "." name | "[" key "]" }      what stands deeper in a row
    column    = a name as it stands in the log, or "any name" in double quotes
    key       = 0, 1, …: a place in a list | a key, in '…' or "…" where it holds a bracket or a quote

A column of the log whose name is the whole text comes before any reading of it; so does one whose name is the
beginning of a term, the longest first: ``id.orig_h`` is a column of that name, if there is one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, TypeAlias

from sessionize.errors import UsageError
from sessionize.values import dataclass

FUNCTIONS: Final[dict[str, tuple[int, int, str]]] = {
    "url": (2, 2, "url(stem, query): the two with ? between; the stem alone where the query is null"),
    "both": (2, 2, "both(id, other): the two with | between, one id; the first alone where the other is null"),
    "target": (1, 1, "target(request): what a request line asks for, /a of GET /a HTTP/1.1"),
    "host": (1, 1, "host(address): an address without its port, and without the brackets around IPv6"),
    "first": (1, 1, "first(list): the first of some texts between commas, that is not -"),
    "if": (2, 2, "if(column, 'text'): the text where the column is not null"),
    "when": (3, 3, "when(column, 'text', other): the other column where the first is the text"),
    "nullif": (2, 99, "nullif(column, 'text', …): null where the column is one of the texts"),
    "match": (2, 2, "match(column, 'pattern'): the first group of a regular expression, else all of the match"),
    "clf": (1, 1, "clf(time): a web server's time, 30/May/2024:10:00:00 +0200, in ISO 8601"),
    "unplus": (1, 1, "unplus(column): with a blank for each +"),
}
"""Name → fewest and most arguments, and what it gives."""
FIXED_ARGUMENTS: Final = {"if": None, "when": 2, "nullif": None, "match": None}
"""Functions whose arguments behind the first, up to this one, are fixed texts."""
FIRST_OF: Final = "??"


@dataclass(frozen=True)
class Step:
    """One step deeper.

    Attributes:
        key: The name, the key, or the place as text.
        kind: ``name`` behind a dot; ``key`` or ``place`` in brackets.
        written: The reference's text from its beginning to the end of this step.
    """

    key: str
    kind: Literal["name", "key", "place"]
    written: str


@dataclass(frozen=True)
class Column:
    """A column of the log, and the way from it to what is meant.

    Attributes:
        name: As written, without the steps.
        steps: Deeper into it.
        quoted: Whether the name stands in double quotes: it is then that column's and no other's.
    """

    name: str
    steps: tuple[Step, ...] = ()
    quoted: bool = False


@dataclass(frozen=True)
class Fixed:
    """A fixed text."""

    text: str


@dataclass(frozen=True)
class Call:
    """A function of other references."""

    function: str
    arguments: tuple[Reference, ...]


@dataclass(frozen=True)
class FirstOf:
    """The first of several that is not null or blank."""

    terms: tuple[Reference, ...]


Reference: TypeAlias = "Column | Fixed | Call | FirstOf"


@lru_cache(maxsize=4096)
def parse(text: str) -> Reference:
    """The reference that a text is.

    Raises:
        UsageError: If it is none; says where.

    Examples:
        >>> parse("user_id ?? 'nobody'")
        FirstOf(terms=(Column(name='user_id', steps=(), quoted=False), Fixed(text='nobody')))
        >>> [step.key for step in parse("logs['session.id'][0].name").steps]
        ['session.id', '0', 'name']
        >>> parse("cs(User-Agent)").name
        'cs(User-Agent)'
    """
    parser = _Parser(text)
    found = parser.reference()
    parser.blanks()
    if parser.at < len(text):
        raise parser.error("nothing more can follow here")
    return found


def columns_of(reference: Reference) -> list[Column]:
    """Every column that a reference names, in order."""
    if isinstance(reference, Column):
        return [reference]
    parts = reference.terms if isinstance(reference, FirstOf) else ()
    parts = reference.arguments if isinstance(reference, Call) else parts
    return [column for part in parts for column in columns_of(part)]


class _Parser:
    """Reads from left to right, one character ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        """Of function calls: inside one, a comma and a closing parenthesis end a term."""

    def error(self, what: str, at: int | None = None) -> UsageError:
        place = self.at if at is None else at
        there = repr(self.text[place : place + 20]) if place < len(self.text) else "its end"
        return UsageError(
            f"the column {self.text!r} cannot be read at character {place + 1} ({there}): {what}",
            hint="a column is a name, a.b, a['key'], a[0], a ?? b ?? 'text' or a function; a name with odd characters "
            "stands in double quotes: '\"a[b\"'",
        )

    def blanks(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def takes(self, token: str) -> bool:
        """Whether the token is next, behind blanks; it is then behind us."""
        start = self.at
        self.blanks()
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        self.at = start
        return False

    def reference(self) -> Reference:
        terms = [self.term()]
        while self.takes(FIRST_OF):
            terms.append(self.term())
        return terms[0] if len(terms) == 1 else FirstOf(tuple(terms))

    def term(self) -> Reference:
        self.blanks()
        if self.takes("'"):
            return Fixed(self.quoted("'"))
        for function in FUNCTIONS:
            if self.text.startswith(f"{function}(", self.at):
                return self.call(function)
        return self.column()

    def quoted(self, mark: str) -> str:
        """A text up to the mark, which is behind us already; a double mark stands for one."""
        start, found = self.at - 1, ""
        while True:
            end = self.text.find(mark, self.at)
            if end < 0:
                raise self.error(f"this {mark} is never closed", start)
            found += self.text[self.at : end]
            self.at = end + 1
            if self.text[self.at : self.at + 1] != mark:
                return found
            found, self.at = found + mark, self.at + 1

    def call(self, function: str) -> Call:
        start = self.at
        self.at += len(function) + 1
        self.depth += 1
        arguments = [self.reference()]
        while self.takes(","):
            arguments.append(self.reference())
        if not self.takes(")"):
            raise self.error("this parenthesis is never closed", start + len(function))
        self.depth -= 1
        least, most, what = FUNCTIONS[function]
        if not least <= len(arguments) <= most:
            raise self.error(f"it is {what}", start)
        fixed = arguments[1 : FIXED_ARGUMENTS[function]] if function in FIXED_ARGUMENTS else []
        if not all(isinstance(each, Fixed) for each in fixed):
            raise self.error(f"it is {what}", start)
        return Call(function, tuple(arguments))

    def column(self) -> Column:
        start = self.at
        quoted = self.takes('"')
        name = self.quoted('"') if quoted else self.name()
        if not name:
            raise self.error("a name is missing", start)
        steps: list[Step] = []
        while self.at < len(self.text) and self.text[self.at] in ".[":
            key, kind = self.step()
            steps.append(Step(key, kind, self.text[start : self.at].strip()))
        return Column(name, tuple(steps), quoted)

    def step(self) -> tuple[str, Literal["name", "key", "place"]]:
        start = self.at
        self.at += 1
        if self.text[start] == ".":
            key = self.name()
            if not key:
                raise self.error("a name is missing", start)
            return key, "name"
        mark = next((each for each in ("'", '"') if self.takes(each)), None)
        if mark is not None:
            key = self.quoted(mark)
            kind: Literal["key", "place"] = "key"
        else:
            end = self.text.find("]", self.at)
            end = len(self.text) if end < 0 else end
            key, self.at = self.text[self.at : end].strip(), end
            kind = "place" if key.isascii() and key.isdigit() else "key"
        if not self.takes("]"):
            raise self.error("this bracket is never closed", start)
        if not key:
            raise self.error("a key is missing", start)
        return key, kind

    def name(self) -> str:
        """A name up to what ends it; a bracket at its beginning, and parentheses that close again, belong to it."""
        start, inside = self.at, 0
        while self.at < len(self.text) and not self.ends_name(start, inside):
            inside += {"(": 1, ")": -1}.get(self.text[self.at], 0)
            self.at += 1
        return self.text[start : self.at].strip()

    def ends_name(self, start: int, inside: int) -> bool:
        letter = self.text[self.at]
        if self.text.startswith(FIRST_OF, self.at) or letter == ".":
            return True
        if letter == "[":
            return self.at > start
        return self.depth > 0 and inside == 0 and letter in ",)"
