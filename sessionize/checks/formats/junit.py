"""JUnit XML, as Jenkins, GitLab and Azure read it: a test case a check.

It knows no warnings: a check that warned is a passed one, in a class of its own so that every viewer shows it, with what
it found as its output.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from sessionize.checks.findings import Checked, Finding
from sessionize.checks.text import sanitize

SUITE = "sessionize check"
CLASS = "sessionize.check"
CLASSES = {"warned": f"{CLASS}.warning"}
LONG = 10_000


def junit(checked: Checked) -> str:
    """One suite of all checks."""
    totals = {
        "tests": str(len(checked.findings)),
        "failures": str(len(checked.of("failed"))),
        "errors": "0",
        "skipped": str(len(checked.of("not measured"))),
    }
    root = ET.Element("testsuites", {"name": SUITE, **{key: totals[key] for key in ("tests", "failures", "errors")}})
    suite = ET.SubElement(root, "testsuite", {"name": SUITE, **totals})
    for finding in checked.findings:
        suite.append(_case(finding))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(finding: Finding) -> ET.Element:
    case = ET.Element("testcase", {"name": _clean(finding.check), "classname": CLASSES.get(finding.status, CLASS)})
    where = finding.where
    if where is not None and where.file is not None:
        case.set("file", _clean(where.file))
        if where.row is not None:
            case.set("line", str(where.row))
    if finding.status == "failed":
        failure = ET.SubElement(case, "failure", {"message": _clean(finding.line), "type": _clean(finding.check)})
        failure.text = _examples(finding)
    elif finding.status == "not measured":
        ET.SubElement(case, "skipped", {"message": _clean(finding.said)})
    elif finding.status == "warned":
        ET.SubElement(case, "system-out").text = f"warning: {_examples(finding)}"
    return case


def _examples(finding: Finding) -> str:
    lines = [f"{example.place}: {example.text}" if example.place else example.text for example in finding.examples]
    return "\n".join(map(_clean, [finding.line, *lines]))


def _clean(text: str) -> str:
    return sanitize(text, longest=LONG)
