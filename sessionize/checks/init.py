"""``check --init``: a configuration with bounds learnt from a log, to be read, changed and committed."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final

from sessionize import schema
from sessionize.checks.bounds import bound
from sessionize.checks.findings import Checked, Finding
from sessionize.checks.init_days import days_section, span
from sessionize.checks.table import BY_NAME, Check
from sessionize.instants import EPOCH
from sessionize.patterns import pattern

SLACK: Final = Fraction(1, 1000)
"""Of a share that may well be zero by chance."""
HEADER: Final = pattern(r"\s*\[\[?\s*([\w-]+)(?:\s*\.\s*([\w-]+))?")
HEAD_START: Final = "# Data checks of `sessionize check`"
HEAD: Final = """\
# Data checks of `sessionize check`, with bounds learnt from {inputs}.
# A bound is a number, a percentage or a range: "0", "0.5%", "10%..60%", "..100", "none".
# A warning says what is unusual; an error makes the command exit with 1.
"""
TAIL: Final = """\
# A check of your own, over the tables events and sessions; its rows are counted, or its one number taken:
# [[check.custom]]
# name = "purchases without a page"
# sql = "SELECT * FROM events WHERE event_type = 'purchase' AND page IS NULL"
# warn = 0
# error = "10"
"""


def learnt(checked: Checked, days: Sequence[Checked] = (), dimensions: Sequence[str] = ()) -> str:
    """The ``[check]`` part of a configuration, under which the same log passes, and each of its days by itself.

    Not where either fails by the table's bounds: these are then kept.

    Args:
        checked: What the log came to, with the table's bounds.
        days: What each of its days came to, where they can be told apart.
        dimensions: Columns whose values are followed.
    """
    parts = [HEAD.format(inputs=" ".join(map(_comment, checked.inputs)))]
    if days:
        parts[0] += f"# Learnt day by day, from {span([*checked.days])}: what the oddest of them had is allowed.\n"
    for finding in checked.findings:
        check = BY_NAME.get(finding.check)
        if check is not None:
            each = [found for day in days for found in day.findings if found.check == check.name]
            parts.append("\n".join(_section(finding, check, checked.learnt, each)) + "\n")
    parts += [section] if (section := days_section(checked.days, dimensions)) else []
    columns = checked.learnt.get("columns")
    if columns:
        lines = ["# The log's columns: one that is missing or of another type is an error, a new one a warning."]
        lines += ["[check.schema]", *(f"{_text(name)} = {_text(dtype)}" for name, dtype in columns.items())]
        parts.append("\n".join(lines) + "\n")
    return "\n".join([*parts, TAIL])


def followed(checked: Checked) -> list[str]:
    """Columns of the log of which each value's share was measured, but for those that always are."""
    names = [
        name.removeprefix("share.").partition("=")[0]
        for day in checked.days.values()
        for name in day
        if name.startswith("share.")
    ]
    columns = checked.learnt.get("columns") or {}
    return [name for name in dict.fromkeys(names) if name in columns and name not in schema.ROLES]


def failing(checked: Checked, days: Sequence[Checked] = ()) -> list[str]:
    """What fails by the table's bounds, which are kept there: names of checks, each with where.

    Args:
        checked: What the log came to, with the table's bounds.
        days: What each of its days came to, where they can be told apart.
    """
    found = {finding.check: "" for finding in checked.of("failed")}
    for day in days:
        for finding in day.of("failed"):
            check = BY_NAME.get(finding.check)
            if check is not None and _breaks(finding, check):
                found.setdefault(check.name, f" (in {' '.join(day.inputs)})")
    return [name + where for name, where in found.items()]


def _breaks(finding: Finding, check: Check) -> bool:
    """Whether it breaks what the table says is a failure, of few as of many; of too few to be judged it does not."""
    most = bound(check.error, check.name)
    if most is None or finding.number is None or most.holds(finding.number, finding.base):
        return False
    return finding.base is None or finding.base >= (check.few or check.least)


def _section(finding: Finding, check: Check, log: Mapping[str, Any], days: Sequence[Finding]) -> Iterator[str]:
    own = list(_own(check, log))
    said = _comment(finding.said.partition(": ")[0] if check.names_id else finding.said)
    if finding.number is None and not own:
        yield f"# [check.{check.name}]  # {check.meaning}; not measured: {said}"
        return
    yield f"# {check.meaning[0].upper()}{check.meaning[1:]}. Here: {said}."
    yield f"[check.{check.name}]"
    if any(_breaks(each, check) for each in (finding, *days)):
        yield f"# The default bounds are kept, as they were broken: warn = {_text(check.warn)}, error = {_text(check.error)}"
    elif finding.number is not None:
        warn, error = _bounds(finding, check, days)
        yield f"warn = {_text(warn)}"
        yield f"error = {_text(error)}"
        if days and finding.unit == "rate":
            yield f"least = {_fewest(days):g}  # of fewer it says nothing: no day that it was learnt from had so few"
    yield from own


def _own(check: Check, log: Mapping[str, Any]) -> Iterator[str]:
    if check.name == "ancient-timestamps" and log.get("oldest") is not None:
        oldest = EPOCH + timedelta(microseconds=int(log["oldest"]))
        if oldest.year > 1:
            yield f"before = {_text((oldest - timedelta(days=365)).date().isoformat())}  # a year before the first event"
    elif check.name == "unknown-event-types":
        if log.get("types"):
            yield f"known = [{', '.join(_text(name) for name in log['types'])}]"
    else:
        yield from (f"{name} = {value}" for name, value in check.options.items() if value is not None)


def _bounds(finding: Finding, check: Check, days: Sequence[Finding]) -> tuple[str, str]:
    """What to allow: what the oddest day had, with some room for chance, and no more than the table where that was kept."""
    if finding.warn is not None and finding.warn.high is None:
        return check.warn, check.error
    found = [each for each in (*days, finding) if each.number is not None]
    most = _most(check, found)
    if finding.unit == "count" or not finding.base:
        whole = max(math.ceil(Fraction(each.number or 0)) for each in found)
        return str(whole), str(2 * whole if most is None else math.floor(most))
    shares = [Fraction(each.number or 0) / Fraction(each.base) for each in found if each.base]
    fewest = min(float(each.base) for each in found if each.base)
    never = max(shares) == 0 and check.warn == "0"  # what no sound log has is not left to chance
    chance = Fraction(0 if never else _chance(float(max(shares)), fewest)).limit_denominator(10**6)
    if not check.both_ends:
        worst = max(shares)
        learnt_from = worst * 3 / 2 + SLACK + chance, worst * 3 + 10 * SLACK + 2 * chance
        warn, error = (share if most is None else min(share, most) for share in learnt_from)
        return _percent(warn), _percent(error)
    least, most = min(shares), max(shares)
    return _range(least, most, Fraction(4, 5), chance), _range(least, most, Fraction(1, 2), 2 * chance)


def _fewest(days: Sequence[Finding]) -> float:
    return min((each.base for each in days if each.base), default=0)


def _chance(share: float, number: float) -> float:
    """What chance may add to a share of so many: three standard deviations, and two more of them."""
    if not share:
        return 1.5 / number
    share = (share * number + 1) / (number + 2)
    return 3 * math.sqrt(share * (1 - share) / number) + 2 / number


def _most(check: Check, found: Sequence[Finding]) -> Fraction | None:
    """The most that the table allows without a failure; None where it allows any, or one of so few has had more."""
    most = bound(check.error, check.name)
    if most is None or most.high is None or not all(most.holds(each.number or 0, each.base) for each in found):
        return None
    return most.high.number


def _range(least: Fraction, most: Fraction, kept: Fraction, chance: Fraction) -> str:
    """From a part of the least share up to as much more than the most."""
    low = max(Fraction(0), least * kept - SLACK - chance)
    high = min(Fraction(1), most * (2 - kept) + SLACK + chance)
    return f"{_percent(low, up=False)}..{_percent(high)}"


def _percent(share: Fraction, *, up: bool = True) -> str:
    """To a tenth of a percent, rounded outwards; no share is over 100 %."""
    tenths = min(Fraction(1), share) * 1000
    whole = math.ceil(tenths) if up else math.floor(tenths)
    return f"{whole / 10:g}%"


def _comment(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", text)


def _text(value: object) -> str:
    """A TOML string, or a key: JSON's are the same, but for a delete character."""
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def merged(there: str, section: str) -> str:
    """A configuration file's text with the learnt part of its checks replaced; the user's own checks stay.

    Args:
        there: The file's text so far.
        section: The new part.
    """
    kept: list[str] = []
    ours = False
    for line in there.splitlines():
        header = HEADER.match(line)
        if header:
            learnt_here = header[1] == "check" and bool(header[2]) and header[2] != "custom"
            if learnt_here and not ours:
                kept = _without_head(kept)
            ours = learnt_here
        if not ours:
            kept.append(line)
    before = "\n".join(kept).rstrip()
    return f"{before}\n\n{_without_set(section, before)}" if before else section


def _without_set(section: str, before: str) -> str:
    """The learnt part without what the rest of the file says of a check, such as ``midnight = false`` below ``[check]``."""
    said = {f"[check.{name}]" for name in tomllib.loads(before).get("check", {})}
    return "\n\n".join(block for block in section.split("\n\n") if said.isdisjoint(block.splitlines()))


def _without_head(lines: list[str]) -> list[str]:
    """The lines before the first learnt section, without the comments that came with it."""
    starts = [number for number, line in enumerate(lines) if line.startswith(HEAD_START)]
    trailing = starts and all(not line or line.startswith("#") for line in lines[starts[-1] :])
    return lines[: starts[-1]] if trailing else lines
