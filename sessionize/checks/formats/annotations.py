"""What CI systems show beside the files: GitHub's workflow commands, GitLab's code quality report."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

from sessionize.checks.findings import Checked, Finding, Status
from sessionize.checks.text import sanitize
from sessionize.patterns import pattern

MOST: Final = 10
"""Annotations of a kind that GitHub shows of one step."""
COMMANDS: Final[dict[Status, str]] = {"failed": "error", "warned": "warning"}
SEVERITIES: Final[dict[Status, str]] = {"failed": "major", "warned": "minor"}
LONG: Final = 4_000
LIVE: Final = pattern(r"@(?=\w)|(?<=:)/(?=/)|(?<=\bwww)\.", re.IGNORECASE)
"""The letter without which a mention is none, or an address none: GitHub's pages make links of both."""


def github(checked: Checked) -> str:
    """An annotation for each bad check, errors first; how many were left out as a notice."""
    lines, left = [], 0
    for status, command in COMMANDS.items():
        found = checked.of(status)
        lines += [_annotation(finding, command) for finding in found[:MOST]]
        left += len(found[MOST:])
    if left:
        lines.append(f"::notice title=sessionize check::{left} more; --output-format markdown lists all")
    return "".join(f"{line}\n" for line in lines)


def _annotation(finding: Finding, command: str) -> str:
    where = finding.where
    properties = {"title": _inert(f"sessionize check: {finding.check}")}
    if where is not None and where.file is not None:
        properties["file"] = where.file
        if where.row is not None:
            properties["line"] = str(where.row)
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{command} {listed}::{_message(_inert(_text(finding)))}"


def _text(finding: Finding) -> str:
    examples = [f"{example.place}: {example.text}" if example.place else example.text for example in finding.examples]
    return "\n".join(sanitize(line, longest=LONG) for line in [finding.line, *examples])


def _inert(text: str) -> str:
    r"""The text with mentions and addresses that lead nowhere.

    Examples:
        >>> print(_inert("@ann saw https://a.example and www.b.example"))
        \x40ann saw https:\x2f/a.example and www\x2eb.example
    """
    return LIVE.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(sanitize(text, longest=LONG)).replace(":", "%3A").replace(",", "%2C")


def gitlab(checked: Checked) -> str:
    """A list of issues, one for each bad check."""
    issues = [_issue(finding, checked.inputs) for finding in checked.findings if finding.is_bad]
    return json.dumps(issues, indent=2) + "\n"


def _issue(finding: Finding, inputs: tuple[str, ...]) -> dict[str, Any]:
    where = finding.where
    path = where.file if where is not None and where.file is not None else next(iter(inputs), "-")
    row = where.row if where is not None and where.row is not None else 1
    return {
        "description": _text(finding),
        "check_name": sanitize(finding.check),
        "fingerprint": hashlib.sha256(
            f"sessionize check\n{finding.check}\n{path}".encode("utf-8", "replace")
        ).hexdigest(),
        "severity": SEVERITIES[finding.status],
        "location": {"path": sanitize(path, longest=LONG), "lines": {"begin": max(1, row)}},
    }
