"""Every format read back by a parser that is not ours, whatever the messages hold."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sessionize.checks import Checked, Example, Finding, bound
from sessionize.checks.findings import Status
from sessionize.checks.formats import FORMATS
from sessionize.checks.text import sanitize

NASTY = (
    "quotes \" and ' and %0A and 100 %",
    "line\nbreak\r\nand\ttab",
    "\x00\x07\x1b[31mred\x1b]52;c;AAAA\x07\x7f\x9b31m",
    "</failure>]]><![CDATA[ &amp; <script>",
    "::error file=x::injected",
    "@ann #12 GH-7 a@b.example ann/repo#3 :tada: 0123456789abcdef",
    "http://a.example www.b.example HTTPS://c.example/?x=@y![i](http://d.example/i.png)",
    "``a`b\\|c\\\\|d` ``` \\",
    " padded ",
    "| a pipe | `code` | [link](http://x) | <b>",
    "\u202eright to left\u2028line\ufffe\uffff\ud800",
    "日本語 🍵 é",
    "",
)
TEXT = st.text(st.characters(exclude_categories=[]), max_size=40) | st.sampled_from(NASTY)
EXAMPLES = st.builds(
    Example, TEXT, st.none() | TEXT.map(lambda text: text or "f"), st.none() | st.integers(0, 2**32 - 1)
)


@st.composite
def a_finding(draw: st.DrawFn) -> Finding:
    statuses: tuple[Status, ...] = ("passed", "warned", "failed", "not measured")
    status = draw(st.sampled_from(statuses))
    measured = status != "not measured"
    return Finding(
        check=draw(TEXT),
        meaning=draw(TEXT),
        status=status,
        unit=draw(st.sampled_from(["count", "rate"])),
        number=draw(st.integers(0, 10**9)) if measured else None,
        base=draw(st.none() | st.integers(0, 10**9)) if measured else None,
        warn=bound("1%", ""),
        error=bound("10%..60%", ""),
        said=draw(TEXT),
        examples=tuple(draw(st.lists(EXAMPLES, max_size=3))) if status in ("warned", "failed") else (),
    )


CHECKED = st.builds(
    Checked,
    findings=st.lists(a_finding(), max_size=14).map(tuple),
    inputs=st.lists(TEXT, min_size=1, max_size=2).map(tuple),
)
every = examples(120)


def texts(finding: Finding) -> list[str]:
    return [
        sanitize(f"{each.place}: {each.text}" if each.place else each.text, longest=4000) for each in finding.examples
    ]


def line(finding: Finding) -> str:
    return sanitize(finding.line, longest=4000)


@every
@given(CHECKED)
def test_junit_is_read_by_junitparser(checked: Checked) -> None:
    xml = JUnitXml.fromstring(FORMATS["junit"](checked).encode())
    (suite,) = xml
    cases = list(suite)
    assert [case.name for case in cases] == [sanitize(finding.check) for finding in checked.findings]
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
        len(checked.findings), len(checked.of("failed")), 0, len(checked.of("not measured")),
    )  # fmt: skip
    for case, finding in zip(cases, checked.findings, strict=True):
        kinds = [type(result) for result in case.result]
        assert kinds == {"failed": [Failure], "not measured": [Skipped]}.get(finding.status, [])
        if finding.status == "failed":
            assert case.result[0].message == line(finding)
            assert case.result[0].text.split("\n") == [line(finding), *texts(finding)]


STRICT = {"type": "object", "additionalProperties": False}
SARIF_TEXT = {**STRICT, "required": ["text"], "properties": {"text": {"type": "string"}}}
SARIF_PLACE = {
    **STRICT,
    "required": ["artifactLocation"],
    "properties": {
        "artifactLocation": {**STRICT, "required": ["uri"],
                             "properties": {"uri": {"type": "string", "format": "uri-reference", "minLength": 1}}},
        "region": {**STRICT, "required": ["startLine"], "properties": {"startLine": {"type": "integer", "minimum": 1}}},
    },
}  # fmt: skip
SARIF = {
    **STRICT,
    "required": ["$schema", "version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "maxItems": 1, "items": {
            **STRICT,
            "required": ["tool", "results"],
            "properties": {
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "tool": {**STRICT, "required": ["driver"], "properties": {"driver": {
                    **STRICT,
                    "required": ["name", "version", "rules"],
                    "properties": {
                        "name": {"type": "string"},
                        "version": {"type": "string"},
                        "rules": {"type": "array", "items": {
                            **STRICT, "required": ["id"],
                            "properties": {"id": {"type": "string"}, "shortDescription": SARIF_TEXT},
                        }},
                    },
                }}},
                "results": {"type": "array", "items": {
                    **STRICT,
                    "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
                    "properties": {
                        "ruleId": {"type": "string"},
                        "ruleIndex": {"type": "integer", "minimum": 0},
                        "level": {"enum": ["none", "note", "warning", "error"]},
                        "message": SARIF_TEXT,
                        "locations": {"type": "array", "maxItems": 1, "items": {
                            **STRICT, "properties": {"physicalLocation": SARIF_PLACE}}},
                        "relatedLocations": {"type": "array", "uniqueItems": True, "items": {
                            **STRICT, "properties": {"id": {"type": "integer", "minimum": 0}, "message": SARIF_TEXT,
                                                     "physicalLocation": SARIF_PLACE}}},
                        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                }},
            },
        }},
    },
}  # fmt: skip
"""What we write of SARIF 2.1.0 (OASIS, sections 3.13 to 3.30), and nothing else."""


def valid(schema: dict[str, Any], document: Any) -> None:
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)


@every
@given(CHECKED)
def test_sarif_has_a_result_for_each_bad_check_and_no_word_beside_the_standard(checked: Checked) -> None:
    text = FORMATS["sarif"](checked)
    document = json.loads(text)
    valid(SARIF, document)
    (run,) = document["runs"]
    bad = [finding for finding in checked.findings if finding.is_bad]
    levels = {"failed": "error", "warned": "warning"}
    assert [(each["ruleId"], each["level"]) for each in run["results"]] == [
        (sanitize(finding.check), levels[finding.status]) for finding in bad
    ]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


GITLAB = {
    "type": "array",
    "items": {
        **STRICT,
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string"},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {**STRICT, "required": ["path", "lines"], "properties": {
                "path": {"type": "string"},
                "lines": {**STRICT, "required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
            }},
        },
    },
}  # fmt: skip


@every
@given(CHECKED)
def test_gitlab_reads_an_issue_for_each_bad_check(checked: Checked) -> None:
    issues = json.loads(FORMATS["gitlab"](checked))
    valid(GITLAB, issues)
    bad = [finding for finding in checked.findings if finding.is_bad]
    assert [each["description"].split("\n") for each in issues] == [[line(finding), *texts(finding)] for finding in bad]


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Workflow commands, as GitHub's runner reads them."""
    found = []
    for each in text.splitlines():
        match = re.fullmatch(r"::(\w+)(?: ([^:]*))?::(.*)", each)
        assert match is not None, each
        pairs = (pair.partition("=") for pair in (match[2] or "").split(","))
        properties = {key: _unescaped(value.replace("%3A", ":").replace("%2C", ",")) for key, _, value in pairs if key}
        found.append((match[1], properties, _unescaped(match[3])))
    return found


def _unescaped(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


@every
@given(CHECKED)
def test_github_reads_an_annotation_for_each_bad_check_up_to_ten_of_a_kind(checked: Checked) -> None:
    found = commands(FORMATS["github"](checked))
    for command, status in (("error", "failed"), ("warning", "warned")):
        expected = [finding for finding in checked.findings if finding.status == status][:10]
        annotations = [each for each in found if each[0] == command]
        assert [_live_again(message).split("\n") for _, _, message in annotations] == [
            [_live_again(each) for each in (line(finding), *texts(finding))] for finding in expected
        ]
        assert [_live_again(properties["title"]) for _, properties, _ in annotations] == [
            _live_again(sanitize(f"sessionize check: {finding.check}", longest=4000)) for finding in expected
        ]
        for _, properties, message in annotations:
            assert not re.search(r"@\w|://|\bwww\.", f"{properties['title']} {message}", re.IGNORECASE)


def _live_again(text: str) -> str:
    return text.replace("\\x40", "@").replace("\\x2f", "/").replace("\\x2e", ".")


@every
@given(CHECKED)
def test_markdown_is_one_table_of_four_columns(checked: Checked) -> None:
    lines = FORMATS["markdown"](checked).splitlines()
    table = [each for each in lines if each.startswith("|")]
    assert len(table) == len(lines) - 2 == len(checked.findings) + 2
    for row in table:
        assert len(re.findall(r"(?:\\.|[^|\\])*\|", row)) == 5


@every
@given(CHECKED)
def test_markdown_says_what_was_found_and_nothing_in_it_lives(checked: Checked) -> None:
    parsed = MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(FORMATS["markdown"](checked))
    cells = [token.children or [] for token in parsed if token.type == "inline"][5:]
    order = [finding for status in ("failed", "warned", "passed", "not measured") for finding in checked.of(status)]
    assert len(cells) == 4 * len(order)
    for place, finding in enumerate(order):
        _, check, found, allowed = cells[4 * place : 4 * place + 4]
        for cell in (check, found, allowed):
            assert {token.type for token in cell} <= {"text", "code_inline", "html_inline"}
            assert {token.content for token in cell if token.type == "html_inline"} <= {"<br>"}
            for token in cell:
                if token.type == "text":
                    assert not re.search(r"@|://|www\.|#\d|[`*_<>|\[\]\\]", token.content), token.content
        expected = [sanitize(finding.said, longest=2000), *texts(finding)]
        assert _said(found) == [each.replace("\\|", "\\x5c|").strip() for each in expected]


def _said(cell: list[Token]) -> list[str]:
    lines = [""]
    for token in cell:
        if token.type == "html_inline":
            lines.append("")
        else:
            lines[-1] += token.content
    return [each.strip() for each in lines]


@every
@given(CHECKED)
def test_json_says_everything(checked: Checked) -> None:
    document = json.loads(FORMATS["json"](checked))
    assert document["passed"] == (not checked.of("failed"))
    assert [each["status"].replace("_", " ") for each in document["checks"]] == [f.status for f in checked.findings]
    assert [each["number"] for each in document["checks"]] == [finding.number for finding in checked.findings]
    assert sum(document["summary"].values()) == len(checked.findings)


@every
@given(CHECKED, st.sampled_from(sorted(FORMATS)))
def test_nothing_from_the_data_steers_a_terminal(checked: Checked, name: str) -> None:
    text = FORMATS[name](checked)
    assert text == "" or text.endswith("\n")
    hidden = {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert hidden <= {"\n"}
    text.encode()


@pytest.mark.parametrize("name", FORMATS)
def test_what_every_format_needs_is_there(name: str) -> None:
    finding = Finding(
        check="duplicates", meaning="events twice", status="failed", unit="rate", number=3, base=4, warn=None,
        error=bound("50%", ""), said="3 of 4 rows", examples=(Example("event id 'a' again", "logs/a.csv", 7),),
    )  # fmt: skip
    text = FORMATS[name](
        Checked(findings=(finding, replace(finding, status="warned", check="other")), inputs=("logs",))
    )
    assert "duplicates" in text
    assert "3 of 4 rows" in text
    assert "logs/a.csv" in text
