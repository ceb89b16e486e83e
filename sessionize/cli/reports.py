"""`sessionize check`: findings into files for CI systems, also where the log could not be read at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sessionize.cli import options as o
from sessionize.cli import settings
from sessionize.errors import SessionizeError, UsageError
from sessionize.locations import is_store
from sessionize.values import NamedTuple

if TYPE_CHECKING:
    from sessionize.checks import Checked, Example
    from sessionize.output.one_file import OneFile

NAMES: Final = ("full", "concise", "json", "junit", "sarif", "github", "gitlab", "markdown")


class Report(NamedTuple):
    """A file that is to be written.

    Attributes:
        form: Name of its format.
        file: Where the report is written.
    """

    form: str
    file: OneFile


def reports(typed: o.Typed, read: Mapping[tuple[int, int], str]) -> tuple[Report, ...]:
    """Files that were asked for with ``--report``.

    Args:
        typed: What was typed.
        read: What is read, by device and inode.

    Raises:
        UsageError: If a format is not known, or a file is an input or not ours to replace.
    """
    found = [_report(text, read) for text in typed["report"] or ()]
    paths = [report.file.path for report in found]
    paths += [Path(os.path.realpath(typed["output_file"]))] if typed.get("output_file") else []
    if len(set(paths)) < len(paths):
        raise UsageError("two reports go into one file", hint="name a file for each")
    return tuple(found)


def _report(text: str, read: Mapping[tuple[int, int], str]) -> Report:
    from sessionize.checks.formats.recognise import is_findings
    from sessionize.output.one_file import OneFile

    form, equals, path = text.partition("=")
    if not equals or not path:
        raise UsageError(f"invalid value {text!r} for --report", hint="for example --report junit=checks.xml")
    return Report(settings.one_of(form, NAMES, "--report"), OneFile(path, "--report", read, is_findings))


def written(checked: Checked, name: str) -> str:
    """What was checked, in a format."""
    from sessionize.checks.formats import FORMATS

    return FORMATS[name](_in_repository(checked) if name == "gitlab" else checked)


def write(found: Sequence[Report], checked: Checked) -> None:
    """Write each report."""
    for report in found:
        report.file.write(written(checked, report.form).encode("utf-8", "backslashreplace"))


def not_checked(error: SessionizeError, inputs: Sequence[str]) -> Checked:
    """What to report where nothing could be checked: that, and why."""
    from sessionize.checks import Checked, Finding

    said = error.message if error.hint is None else f"{error.message} ({error.hint})"
    finding = Finding(
        check="input", meaning="whether the log can be read", status="failed", unit="count", number=None, base=None,
        warn=None, error=None, said=said,
    )  # fmt: skip
    return Checked(findings=(finding,), inputs=tuple(inputs))


def _in_repository(checked: Checked) -> Checked:
    """The same, its paths from the repository's root, which is where GitLab looks for them."""
    here = Path.cwd()
    root = next((each for each in (here, *here.parents) if (each / ".git").exists()), here)

    def shown(path: str) -> str:
        if is_store(path):
            return path
        whole = Path(os.path.abspath(path))  # noqa: PTH100 - links stay: the repository has them
        return str(whole.relative_to(root)) if whole.is_relative_to(root) else path

    def moved(example: Example) -> Example:
        return example if example.file is None else example._replace(file=shown(example.file))

    findings = [replace(each, examples=tuple(map(moved, each.examples))) for each in checked.findings]
    return replace(checked, findings=tuple(findings), inputs=tuple(map(shown, checked.inputs)))
