"""The page as anybody may get it: well formed, self-contained, safe with hostile logs, legible, and the same every time."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest
from console import SAMPLE, sessionize
from markdown_it import MarkdownIt
from pages import HOSTILE, hostile_log, page_of, read

from sessionize.answers import SECTIONS

LOG: Final = SAMPLE / "events.csv"
ASKED: Final = (LOG, "--step", "page:/", "--step", "purchase", "--by", "utm_source")
OURS: Final = {
    "html", "head", "meta", "link", "title", "style", "body", "a", "header", "h1", "ul", "li", "nav", "main", "section", "h2",
    "p", "dl", "dt", "dd", "div", "figure", "figcaption", "svg", "g", "rect", "line", "text", "tspan", "path", "details",
    "summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "footer", "span",
}  # fmt: skip
"""Every element that a page may have."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page_of(tmp_path_factory.mktemp("page"), *ASKED)


def test_the_page_is_well_formed_and_has_the_sections_in_the_summarys_order(page: str) -> None:
    root = read(page)
    names = [section.attributes["id"] for section in root.all("section")]
    assert names == list(SECTIONS)
    assert [link.attributes["href"] for nav in root.all("nav") for link in nav.all("a")] == [
        f"#{name}" for name in names
    ]
    ids = [node.attributes["id"] for node in root.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    assert {node.attributes.get("aria-labelledby") for node in root.all("section")} <= set(ids)


def test_the_page_has_a_language_a_title_and_headings_in_their_order(page: str) -> None:
    root = read(page)
    assert next(root.all("html")).attributes["lang"] == "en"
    assert next(root.all("title")).text == next(root.all("h1")).text == "Sessions of events.csv"
    levels = [node.tag for node in root.all("h1", "h2", "h3", "h4")]
    assert levels == ["h1", *["h2"] * len(SECTIONS), "h2"]


def test_nothing_is_loaded_and_nothing_can_run(page: str) -> None:
    root = read(page)
    assert {node.tag for node in root.all()} <= OURS
    for node in root.all():
        assert not [
            name for name in node.attributes if name.startswith("on") or name in ("style", "src", "srcset", "action")
        ]
        for name in ("href", "xlink:href"):
            link = node.attributes.get(name)
            assert link is None or link.startswith("#") or (node.tag, link) == ("link", "data:,")
    style = next(root.all("style")).text
    assert "url(" not in style
    assert "@import" not in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(node for node in root.all("meta") if node.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_every_chart_says_what_it_shows_and_has_its_rows_as_a_table(page: str) -> None:
    root = read(page)
    pictures = [node for node in root.all() if node.attributes.get("role") == "img"]
    figures = list(root.all("figure"))
    assert len(pictures) == len(figures) == 7
    assert all(len(picture.attributes["aria-label"]) > 30 for picture in pictures)
    for each in figures:
        assert [len(list(inner.all("table"))) for inner in each.all("details")] == [1]
    loose = [
        svg for svg in root.all("svg") if svg.attributes.get("aria-hidden") != "true" and "role" not in svg.attributes
    ]
    inside = [svg for picture in pictures for svg in picture.all("svg")]
    assert all(any(svg is one for one in inside) for svg in loose)


def test_tables_have_a_caption_scopes_and_a_cell_for_every_column(page: str) -> None:
    for table in read(page).all("table"):
        assert next(table.all("caption")).text
        head, *body = [list(row.all("th", "td")) for row in table.all("tr")]
        assert body
        assert {len(row) for row in body} == {len(head)}
        assert all(cell.attributes["scope"] == "col" for cell in head if cell.tag == "th")
        assert all(row[0].attributes.get("scope") == "row" for row in body)


def test_letters_and_charts_stand_out_from_what_is_behind_them() -> None:
    style = files("sessionize.report").joinpath("style.css").read_text(encoding="utf-8")
    light, dark = (dict(re.findall(r"--(\w+):(#\w+)", rule)) for rule in re.findall(r":root\{([^}]*)\}", style)[:2])
    for colours in (light, dark):
        for ground in ("paper", "card"):
            assert {
                name: contrast(colours[name], colours[ground]) >= 4.5 for name in ("ink", "soft", "bar", "strong")
            } == (dict.fromkeys(("ink", "soft", "bar", "strong"), True))
        assert contrast(colours["quiet"], colours["paper"]) >= 3


def contrast(one: str, other: str) -> float:
    """The ratio that WCAG 2 defines."""

    def luminance(colour: str) -> float:
        code = colour[1:] if len(colour) == 7 else "".join(2 * letter for letter in colour[1:])
        parts = [int(code[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.slow
def test_the_same_log_gives_the_same_bytes_whenever_its_file_was_written(page: str, tmp_path: Path) -> None:
    again = tmp_path / "events.csv"
    again.write_bytes(LOG.read_bytes())
    found = page_of(tmp_path, again, *ASKED[1:])
    digest = re.compile("<dt>Log</dt><dd>[^<]*|<dt>Manifest, SHA-256</dt><dd>[0-9a-f]{64}")
    assert digest.sub("", found) == digest.sub("", page)
    assert page_of(tmp_path, again, *ASKED[1:]) == found
    again.touch()
    assert page_of(tmp_path, again, *ASKED[1:]) == found


def test_a_hostile_log_becomes_text_and_nothing_else(tmp_path: Path) -> None:
    log = hostile_log(tmp_path)
    page = page_of(tmp_path, log, "--by", "channel", "--step", "page:/*", "--step", HOSTILE[0], "--title", HOSTILE[4])
    root = read(page)
    assert {node.tag for node in root.all()} <= OURS
    assert next(root.all("title")).text == next(root.all("h1")).text == HOSTILE[4]
    assert HOSTILE[0] in root.text
    assert "\u202e" not in page
    assert "\x1b" not in page
    for node in root.all():
        assert set(node.attributes) <= ATTRIBUTES
    assert len(page) < 1_000_000


ATTRIBUTES: Final = {
    "lang", "charset", "name", "content", "http-equiv", "rel", "href", "class", "id", "aria-labelledby", "aria-label",
    "aria-hidden", "role", "tabindex", "scope", "x", "y", "x1", "x2", "y1", "y2", "dx", "width", "height", "rx", "d",
    "viewbox", "preserveaspectratio",
}  # fmt: skip
"""Every attribute that a page may have."""


@pytest.mark.slow
def test_a_page_stays_small_whatever_the_log(tmp_path: Path) -> None:
    log = tmp_path / "long.csv"
    rows = (
        f"s{number // 3},2024-{1 + number % 12:02}-{1 + number % 28:02}T{number % 24:02}:00:00Z,/{number}{'y' * 400},{number}{'z' * 400}"
        for number in range(20_000)
    )
    log.write_text("session_id,timestamp,page,utm_source\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert len(page_of(tmp_path, log, "--by", "utm_source").encode()) < 500_000


@pytest.mark.parametrize(
    "text",
    [
        "session_id,timestamp,page\n",
        "session_id,timestamp\na,2024-05-30T10:00:00Z\n",
        "user_id,timestamp,event_type\na,2024-05-30T10:00:00Z,click\na,2024-05-30T10:00:00Z,click\n",
        "session_id,timestamp,page\na,1990-05-30T10:00:00Z,/\na,2024-05-30T10:00:00Z,/\n",
    ],
    ids=["no rows", "one event and no names", "silences of 0 s", "decades"],
)
@pytest.mark.parametrize("more", [(), ("--timeout", "none")], ids=["timeout", "no timeout"])
def test_a_log_that_has_little_to_tell_makes_a_page(text: str, more: tuple[str, ...], tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(text, encoding="utf-8")
    root = read(page_of(tmp_path, log, *more))
    assert next(root.all("section")).attributes["id"] == "totals"
    assert "nan" not in root.text
    for node in root.all():
        assert not any("nan" in node.attributes.get(name, "") for name in ("x", "y", "width", "height", "d"))


def test_markdown_of_a_hostile_log_is_tables_of_text(tmp_path: Path) -> None:
    log = hostile_log(tmp_path)
    done = sessionize("report", log, "--by", "channel", "--title", HOSTILE[4], "-q", cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith("<!-- sessionize report -->\n## ")
    tokens = [
        token
        for block in MarkdownIt("commonmark").enable("table").parse(done.out)
        for token in (block, *(block.children or ()))
    ]
    allowed = re.compile(r"<!-- sessionize report -->\n|<details><summary>[\w ,:]+</summary>\n|</details>\n?")
    assert all(allowed.fullmatch(token.content) for token in tokens if token.type in ("html_block", "html_inline"))
    assert not [token for token in tokens if token.type in ("image", "link_open", "em_open", "fence", "code_block")]
    assert len(done.out.encode()) < 65_536  # what a comment may have
    table_rows = re.findall(r"(?m)^\|.*\|$", done.out)
    assert len(table_rows) == len([line for line in done.out.splitlines() if line.startswith("|")])


def test_the_rules_stand_whole_and_in_words_on_every_page(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,ts,n\nu,1717063200,5\nu,1717063300,7\n")
    typed = ["--rules", "matomo", "--dimension", "land=n", "--metric", "most=max(n)", "--goal", "g=n = '5'"]
    for name in ("page.md", "page.html"):
        said = sessionize("report", "log.csv", *typed, "-o", name, "-q", cwd=tmp_path)
        assert said.code == 0, said.err
        text = unescape((tmp_path / name).read_text())
        for rule in ("split at midnight", "dimensions land = n", "metrics most = max(n)", "goals g = n = '5'"):
            assert rule in text
        assert "{" not in text.partition("timeout 30 min, ")[2].partition("\n")[0].partition("</")[0]
