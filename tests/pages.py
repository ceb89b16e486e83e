"""Pages that are made in tests: read strictly, and of logs whose every text is an attack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from console import sessionize

VOID: Final = {"meta", "link"}
HOSTILE: Final = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "javascript:alert(1)", "</style><script>alert(2)</script>",
    "</title><script>alert(3)</script>", "<!--", "-->", "&lt;b&gt;", "a\u202eb", "{{7*7}}", "' onmouseover='alert(4)", "| a |",
    "`x`", "![i](http://evil.example/x.png)", "@everyone", "<http://evil.example>",
)  # fmt: skip


@dataclass
class Node:
    """An element of a page that was read."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    def all(self, *tags: str) -> Iterator[Node]:
        for child in self.children:
            if isinstance(child, Node):
                if not tags or child.tag in tags:
                    yield child
                yield from child.all(*tags)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class Reader(HTMLParser):
    """Reads a page, and takes no element that is not closed by itself."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute is there twice: {tag} {attrs}"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        assert decl == "DOCTYPE html"

    def close(self) -> None:
        super().close()
        assert self._open == [self.root]


def read(page: str) -> Node:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.root


def page_of(folder: Path, *arguments: object) -> str:
    file = folder / "page.html"
    done = sessionize("report", *arguments, "-o", file, "-q", cwd=folder)
    assert done.code == 0, done.err
    return file.read_text(encoding="utf-8")


def hostile_log(folder: Path, rows: int = 3) -> Path:
    """A log whose every text is an attack, or very long, and whose name is one."""
    file = folder / "<img src=x onerror=alert(5)>.ndjson"
    names = [*HOSTILE, "\x00\x1b[31m\x07", "x" * 5000]
    events = [
        {
            "session_id": name, "timestamp": f"2024-05-{day + 1:02}T10:0{number}:00Z", "page": f"https://e.example/{name}",
            "event_type": names[(day + number) % len(names)] if number else "page-view", "referrer": f"https://{name}/",
            "utm_source": name, "utm_campaign": name, "channel": name,
        }
        for day, name in enumerate(names)
        for number in range(rows)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return file
