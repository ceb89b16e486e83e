"""What was asked of the checks: the configuration's ``[check]`` section, checked for form."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Final

from sessionize.checks.bounds import Bound, bound
from sessionize.checks.day_settings import LEAST, Days, days_of, only_so_few
from sessionize.errors import UsageError
from sessionize.fields import check_fields
from sessionize.values import dataclass

WARN_CHANGE: Final = "20%"
MAX_CHANGE: Final = "50%"
EXAMPLES: Final = 5
GENERAL: Final = ("baseline", "max-change", "examples", "error-on-warning", "schema", "custom", "days")
BOUNDS: Final = ("warn", "error")
OF_FILE: Final = ("[check", "[[check")
"""How a message begins that is about what stands in a configuration file."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the configuration says of one check; what it does not say is the table's.

    Attributes:
        enabled: Whether the check is made.
        given: Which of ``warn`` and ``error`` are given.
        warn: What is allowed without a warning.
        error: What is allowed without a failure.
        options: Options of the check alone: ``hours``, ``known``, ….
        least: Fewer of what it is a share of say nothing; None for what the table says where no bound is given.
    """

    enabled: bool = True
    given: frozenset[str] = frozenset()
    warn: Bound | None = None
    error: Bound | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    least: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Custom:
    """A check of the user's own.

    Attributes:
        name: Name of the check.
        sql: Query over the tables ``events`` and ``sessions``; its rows are counted, or its one number taken.
        warn: What is allowed without a warning.
        error: What is allowed without a failure; no row at all, where neither bound is given.
    """

    name: str
    sql: str
    warn: Bound | None
    error: Bound | None

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to check.

    Attributes:
        settings: Check → what the configuration says of it.
        custom: Checks of the user's own.
        baseline: Output directory of an earlier run, or a file that ``check --output-format json`` has written.
        max_change: What is allowed without a failure between the baseline's figures and this log's.
        warn_change: What is allowed without a warning.
        examples: How many examples are shown for each check.
        schema: The columns that the log should have, name → type; None for any.
        error_on_warning: Whether a warning is a failure.
        days: What the figures of a day may be.
    """

    settings: Mapping[str, Setting] = field(default_factory=dict)
    custom: tuple[Custom, ...] = ()
    baseline: str | None = None
    max_change: Bound | None = field(default_factory=lambda: bound(MAX_CHANGE, "--max-change"))
    warn_change: Bound | None = field(default_factory=lambda: bound(WARN_CHANGE, "--max-change"))
    examples: int = EXAMPLES
    schema: Mapping[str, str] | None = None
    error_on_warning: bool = False
    days: Days = field(default_factory=Days)

    def __post_init__(self) -> None:
        check_fields(self)

    def setting(self, name: str) -> Setting:
        """What the configuration says of a check."""
        return self.settings.get(name, Setting())


@contextmanager
def standing_in(file: Path | None) -> Iterator[None]:
    """Name the configuration file in what is said of its ``[check]``.

    Args:
        file: The file; None where there is none.
    """
    try:
        yield
    except UsageError as error:
        if file is None or not error.message.startswith(OF_FILE):
            raise
        raise UsageError(f"{file}: {error.message}", hint=error.hint) from error


def settings_of(
    section: Mapping[str, Any], options: Mapping[str, Iterable[str]], counts: Collection[str] = ()
) -> Settings:
    """What a ``[check]`` section asks for.

    Args:
        section: The section ``[check]`` of a configuration, as TOML has it.
        options: Check → its own options.
        counts: Checks whose number is a part of nothing: a percentage is no bound of theirs.

    Raises:
        UsageError: If it names a check or an option there is not, or a bound is none.
    """
    general = {name: value for name, value in section.items() if name in GENERAL}
    saved = general.get("schema")
    if saved is not None and not isinstance(saved, Mapping):
        raise UsageError("[check] schema is no table", hint="write [check.schema] with a line a column: name = 'type'")
    customs = section.get("custom", ())
    settings = {name: _setting(name, value, options) for name, value in section.items() if name not in GENERAL}
    for name in counts:
        _refuse_share(name, settings.get(name, Setting()))
    if not isinstance(customs, list | tuple):
        raise UsageError("[check] custom is no list", hint="write [[check.custom]] with name, sql, warn, error")
    own = tuple(_custom(each) for each in customs)
    twice = next((name for name, number in Counter(each.name for each in own).items() if number > 1), None)
    if twice is not None:
        raise UsageError(f"[[check.custom]] {twice!r} is there twice", hint="give each of them a name of its own")
    taken = next((each.name for each in own if each.name in options or not each.name.strip()), None)
    if taken is not None:
        said = (
            f"[[check.custom]] {taken!r} is the name of a check that there is"
            if taken.strip()
            else "[[check.custom]] has no name"
        )
        raise UsageError(said, hint="give it a name of its own")
    return Settings(
        settings=settings,
        custom=own,
        baseline=_text(general, "baseline"),
        max_change=change_bound(general.get("max-change", MAX_CHANGE), "[check] max-change"),
        examples=only_so_many(general.get("examples", EXAMPLES), "[check] examples"),
        schema=None if saved is None else {name: str(_text(saved, name, "check.schema")) for name in saved},
        error_on_warning=_truth(general, "error-on-warning"),
        days=days_of(general.get("days", {})),
    )


def with_most_rejected(settings: Settings, written: str) -> Settings:
    """The same, with what is allowed of rejected rows."""
    setting = settings.setting("rejected")
    most = bound(written, "--max-rejected")
    changed = replace(setting, error=most, given=setting.given | {"error"})
    return replace(settings, settings={**settings.settings, "rejected": changed})


def change_bound(written: object, where: str) -> Bound | None:
    """The largest change from a baseline."""
    found = bound(f"{written}%" if isinstance(written, int | float) else written, where)
    if found is not None and (
        found.high is None or found.low is not None or not found.high.is_share or found.high.number < 0
    ):
        raise UsageError(f"{where} {written!r} is no percentage", hint='such as "50%", or "none"')
    return found


def only_so_many(written: object, where: str) -> int:
    """How many examples to show."""
    if not isinstance(written, int) or isinstance(written, bool) or not 0 <= written <= 1000:
        raise UsageError(f"{where} {written!r} is no number from 0 to 1000")
    return written


def _setting(name: str, value: Any, options: Mapping[str, Iterable[str]]) -> Setting:
    if name not in options:
        near = difflib.get_close_matches(name, [*options, *GENERAL], n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"[check] knows no {name!r}", hint=f"{hint}the checks are {', '.join(options)}")
    if isinstance(value, bool):
        return Setting(enabled=value)
    if not isinstance(value, Mapping):
        raise UsageError(f"[check] {name} = {value!r} says nothing", hint=f"write [check.{name}] with warn and error")
    taken = (*BOUNDS, LEAST, *options[name])
    unknown = [key for key in value if key not in taken]
    if unknown:
        raise UsageError(f"[check.{name}] knows no {', '.join(unknown)}", hint=f"it has {', '.join(taken)}")
    return Setting(
        given=frozenset(value) & frozenset(BOUNDS),
        warn=_bound(value, "warn", f"check.{name}"),
        error=_bound(value, "error", f"check.{name}"),
        options={key: each for key, each in value.items() if key not in (*BOUNDS, LEAST)},
        least=only_so_few(value[LEAST], f"[check.{name}] {LEAST}") if LEAST in value else None,
    )


def _refuse_share(name: str, setting: Setting) -> None:
    for kind, limit in (("warn", setting.warn), ("error", setting.error)):
        if limit is not None and any(edge is not None and edge.is_share for edge in (limit.low, limit.high)):
            raise UsageError(
                f"[check.{name}] {kind} = {limit.text!r} is a percentage, and what it measures is a number",
                hint=f"write {kind} = {limit.text.replace('%', '')!r} for that many",
            )


def _text(section: Mapping[str, Any], name: str, where: str = "check") -> str | None:
    value = section.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"[{where}] {name} = {value!r} is no text", hint=f'write {name} = "…"')
    return value


def _truth(section: Mapping[str, Any], name: str) -> bool:
    value = section.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(
            f"[check] {name} = {value!r} is neither true nor false", hint=f"write {name} = true, without quotes"
        )
    return value


def _bound(section: Mapping[str, Any], kind: str, where: str) -> Bound | None:
    return bound(section[kind], f"[{where}] {kind}") if kind in section else None


def _custom(section: Any) -> Custom:
    where = "[[check.custom]]"
    if not isinstance(section, Mapping) or not all(isinstance(section.get(key), str) for key in ("name", "sql")):
        raise UsageError(f"{where} has no name and sql", hint=f"write {where} with name, sql, warn, error")
    unknown = [key for key in section if key not in ("name", "sql", *BOUNDS)]
    if unknown:
        raise UsageError(f"{where} knows no {', '.join(unknown)}", hint="it has name, sql, warn, error")
    where = f"check.custom {section['name']!r}"
    warn, error = (_bound(section, kind, where) for kind in BOUNDS)
    if not frozenset(section) & frozenset(BOUNDS):
        error = bound(0, where)
    return Custom(name=section["name"], sql=section["sql"], warn=warn, error=error)
