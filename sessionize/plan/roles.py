"""Which column plays which role: as given, as a preset or the nights before have it, by its name and by its values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sessionize import schema
from sessionize.config import Config, TimeFormat
from sessionize.errors import UsageError
from sessionize.kernel.references import field_type, roots
from sessionize.plan import asked, elsewhere, keys, times
from sessionize.plan.clocks import Unread
from sessionize.plan.evidence import Evidence, Types
from sessionize.plan.named import by_name, check_given, either
from sessionize.plan.names import listed, option, options_of
from sessionize.plan.unread import unread_times
from sessionize.preset_roles import check_fits, from_preset
from sessionize.values import NamedTuple

ISO: TimeFormat = TimeFormat(kind="text")
NO_NAME = "no column is named for a session or a profile"
NO_OTHER_NAME = "no other column is named for a session or a profile"
KEYS = (schema.SESSION_ID, schema.PROFILE_ID)
OF_ROWS = (*KEYS, schema.TIMESTAMP)
"""Roles that every log has a column for, or nothing comes of it."""


class Choice(NamedTuple):
    """What was found.

    Attributes:
        columns: Role → the columns that play it.
        time: How times are written.
        off: Roles that a column has the name of, but not the values.
        notes: What to know of it.
        time_hint: What to type for times that are not read.
        time_more: What else to know of them.
    """

    columns: Mapping[str, tuple[str, ...]]
    time: TimeFormat
    off: tuple[str, ...]
    notes: tuple[str, ...]
    time_hint: str
    time_more: str


class Roles:
    """Finds the columns of a log. What cannot be found is told in one message, with all there is to type.

    Args:
        config: What was asked for.
        types: Type of each of the log's columns.
        evidence: What its first rows say of them.
        known: Role → columns of the nights before, or none where they found that none plays it.
    """

    def __init__(
        self, config: Config, types: Types, evidence: Evidence, known: Mapping[str, str | Sequence[str]]
    ) -> None:
        self._config, self._types, self._evidence = config, types, evidence
        self._known = known
        self._by_name: set[str] = set()
        self._columns: dict[str, tuple[str, ...]] = {}
        self._off: list[str] = []
        self._notes: list[str] = []
        self._problems: list[Unread] = []
        self._refused: set[str] = set()
        self._doubtful: set[str] = set()
        self._time_hint = self._time_more = ""
        self._no_name = NO_NAME

    def choice(self) -> Choice:
        """The columns.

        Raises:
            UsageError: If one is missing or ambiguous, or its values are not what its name says.
        """
        self._take_named()
        check_fits(self._config, self._columns, self._types)
        self._look_at_event_id()
        self._find_time()
        time = self._time()
        self._find_key()
        self._look_at_keys()
        self._find_event_type()
        if self._problems:
            raise self._error()
        for role in schema.ID_ROLES:
            lost = keys.lost_digits(role, self._columns.get(role, ()), self._evidence, private=self._private)
            self._notes += [] if lost is None else [lost]
        coarse = keys.lost_seconds(self._columns[schema.TIMESTAMP], self._evidence)
        self._notes += [] if coarse is None else [coarse]
        ordered: dict[str, tuple[str, ...]] = {
            role: self._columns[role] for role in schema.ROLES if role in self._columns
        }
        return Choice(ordered, time, tuple(self._off), tuple(self._notes), self._time_hint, self._time_more)

    @property
    def _private(self) -> bool:
        return self._config.hash_key is not None

    def _take_named(self) -> None:
        """The columns that were given, that a preset or the nights before have, or that have a usual name."""
        config, types = self._config, self._types
        said = {role: self._said(role) for role in schema.ROLES}
        chosen = [*(config.chosen(role) for role in config.columns), *(names for names in said.values() if names)]
        taken = {part for names in chosen for name in names for part in (name, *roots(name))}
        for role in schema.ROLES:
            given = config.chosen(role)
            if given:
                check_given(role, given, types)
                self._columns[role] = given
            elif (names := said[role]) is not None:
                self._columns |= {role: names} if names else {}
            elif name := self._by_usual_name(role, taken):
                self._columns[role] = (name,)
                self._by_name.add(role)
        if config.is_off(schema.TIMESTAMP):
            raise UsageError(
                "--timestamp none: every event needs a time", hint=f"say which: {option(schema.TIMESTAMP)}"
            )

    def _by_usual_name(self, role: str, taken: Collection[str], names: Collection[str] | None = None) -> str | None:
        """The one column with a usual name of the role; of several none, which is a problem to be told of."""
        found = by_name(role, self._types, taken, names, self._evidence)
        if len(found) < 2:
            return next(iter(found), None)
        clock = times.clock_of_two(found, self._evidence) if role == schema.TIMESTAMP else None
        if clock is not None:
            return clock  # beside which the date is looked for
        self._evidence.read(found)
        found.sort(key=lambda each: -self._evidence.column(each).there)
        said = f"two columns could be the {role}: {' and '.join(repr(name) for name in found)}"
        self._problems.append(Unread(said, either(role, found, self._evidence) or options_of(role, found[0])))
        self._doubtful.add(role)
        return None

    def _said(self, role: str) -> tuple[str, ...] | None:
        """What the options, the preset or the nights before say of a role: its columns, or that it has none."""
        if self._config.is_off(role):
            return ()
        preset = from_preset(self._config, role, self._types)
        if preset is not None or self._config.chosen(role) or role not in self._known:
            return preset
        before = self._known[role]
        names = (before,) if isinstance(before, str) else tuple(before)
        return names if all(field_type(name, self._types) is not None for name in names) else None

    def _look_at_event_id(self) -> None:
        if schema.EVENT_ID in self._by_name:
            refused = keys.no_event_id(self._columns[schema.EVENT_ID][0], self._evidence, self._config)
            if refused is not None:
                self._refused.add(refused.name)
                del self._columns[schema.EVENT_ID]
                self._off.append(schema.EVENT_ID)
                self._notes.append(refused.said)

    def _find_time(self) -> None:
        if schema.TIMESTAMP in self._doubtful:
            return
        if schema.TIMESTAMP in self._columns:
            if schema.TIMESTAMP in self._by_name:
                both = times.apart(self._columns[schema.TIMESTAMP][0], self._evidence)
                self._columns[schema.TIMESTAMP] = self._columns[schema.TIMESTAMP] if both is None else both.names
            return
        found = times.by_ending(self._types, self._evidence, self._taken)
        if isinstance(found, times.TimeColumns):
            self._columns[schema.TIMESTAMP] = found.names
            self._notes += found.notes
        elif isinstance(found, Unread):
            self._problems.append(
                found._replace(problem=f"no column looks like the timestamp{asked.because(found.problem)}")
            )
        else:
            self._problems.append(asked.for_time(found, self._evidence, self._taken))

    def _time(self) -> TimeFormat:
        names = self._columns.get(schema.TIMESTAMP)
        if names is None:
            return ISO
        found = times.time_format(self._config.time_formats, names, self._types, self._evidence.sample)
        if isinstance(found, TimeFormat):
            self._look_at_unread(names, found)
            return found
        if schema.TIMESTAMP in self._by_name:
            others = times.likelier(self._types, self._evidence, self._taken)
            options = options_of(schema.TIMESTAMP, others[0]) if others else found.options
            found = found._replace(options=options)
        self._problems.append(found)
        return ISO

    def _look_at_unread(self, names: tuple[str, ...], time: TimeFormat) -> None:
        """What to type for the times among the first rows that are not read."""
        unread = unread_times(names, time, self._types, self._evidence.sample)
        if unread is None:
            return
        self._time_hint, self._time_more = unread.options, unread.more
        said = f": {unread.options}" if unread.options else ""
        self._notes.append(f"{unread.problem}{said}{f' ({unread.more})' if unread.more else ''}")

    def _find_key(self) -> None:
        self._drop_profile_for_null()
        self._find_session_of_google()
        if any(role in self._columns or role in self._doubtful for role in KEYS):
            return
        for role in KEYS:
            for group in schema.LESS_USUAL_NAMES[role]:
                name = None if self._config.is_off(role) else self._by_usual_name(role, self._plays, group)
                if name is not None:
                    self._columns[role] = (name,)
                    self._by_name.add(role)
                    if group is schema.ADDRESSES:
                        self._notes.append(f"{self._no_name}: {name!r}, the address, is the profile id")
                if name is not None or role in self._doubtful:
                    return
        found = self._candidates()
        bare = by_name(schema.PROFILE_ID, self._types, self._taken, schema.BARE_NAMES)
        is_sure = len(bare) == 1 and keys.comes_back(bare[0], self._evidence) and bare[0] in dict(found)
        if is_sure and not self._config.is_off(schema.PROFILE_ID):
            self._columns[schema.PROFILE_ID] = (bare[0],)
            self._notes.append(f"{self._no_name}: {bare[0]!r}, whose values come back, is the profile id")
            return
        has_time = schema.TIMESTAMP in self._by_name
        self._problems.append(asked.for_key(found, self._evidence, has_time=has_time))

    def _find_event_type(self) -> None:
        """A column such as `type` is the event type if page views are among its values; without pages, conversions do."""
        if schema.EVENT_TYPE in (*self._columns, *self._doubtful) or self._said(schema.EVENT_TYPE) is not None:
            return
        words = self._config.page_views or schema.PAGE_VIEWS
        if schema.PAGE not in self._columns:
            words = (*words, *(self._config.conversions or schema.CONVERSIONS))
        usual = {schema.spelling(word) for word in words}
        found = by_name(schema.EVENT_TYPE, self._types, self._taken, schema.NAMES_OF_TYPES)
        self._evidence.read(found)
        texts = {name: self._evidence.texts(name).drop_nulls().unique() for name in found}
        likely = [name for name, values in texts.items() if not usual.isdisjoint(map(schema.spelling, values))]
        if len(likely) == 1:
            self._columns[schema.EVENT_TYPE] = (likely[0],)

    def _find_session_of_google(self) -> None:
        """An id that is the second it began in is a session's with the profile only."""
        profile = self._columns.get(schema.PROFILE_ID)
        if profile is None or schema.SESSION_ID in (*self._columns, *self._doubtful):
            return
        name = self._by_usual_name(schema.SESSION_ID, self._plays, schema.OF_GOOGLE)
        if name is not None and self._said(schema.SESSION_ID) is None:
            self._columns[schema.SESSION_ID] = (*profile, name)

    def _candidates(self, *refused: str) -> list[tuple[str, str]]:
        """The columns that could be a key by their values, each with its description."""
        taken = {*self._taken, *refused, *asked.proposed_times(self._problems)} - self._objects
        return keys.candidates(self._types, self._evidence, taken, private=self._private)

    @property
    def _objects(self) -> set[str]:
        """Columns that have a usual name, of an event's type or an amount, and are objects: a key may lie in them."""
        named = {role: self._columns[role][0] for role in self._by_name if role in self._columns}
        return {name for role, name in named.items() if role not in OF_ROWS and self._evidence.leaves(name)}

    def _drop_profile_for_null(self) -> None:
        """A profile id that is but one word for null is none where an address tells visitors apart."""
        if schema.PROFILE_ID not in self._by_name or schema.SESSION_ID in (*self._columns, *self._doubtful):
            return
        name = self._columns[schema.PROFILE_ID][0]
        addresses = by_name(schema.PROFILE_ID, self._types, {*self._plays, name}, schema.ADDRESSES)
        if len(addresses) == 1 and keys.is_for_null(name, addresses[0], self._evidence):
            ids, others = self._evidence.column(name), self._evidence.column(addresses[0])
            del self._columns[schema.PROFILE_ID]
            self._by_name.discard(schema.PROFILE_ID)
            self._refused.add(name)
            said = f"{name!r} is {ids.example!r} for all of {others.different:,} addresses: it is no profile id"
            self._notes.append(said)
            self._no_name = NO_OTHER_NAME

    def _look_at_keys(self) -> None:
        """Refuse a key found by name alone in which nearly every value differs."""
        self._drop_constant()
        self._look_at_sharing()
        named = [self._columns[role][0] for role in KEYS if role in self._columns and role in self._by_name]
        self._evidence.look_closer(named)
        for role in KEYS:
            if role not in self._by_name or role not in self._columns:
                continue
            refused = keys.no_key(self._columns[role][0], self._evidence)
            if refused is None:
                continue
            other = next((each for each in KEYS if each != role and each in self._columns), None)
            all_the_same = f"or {options_of(role, refused.name)}, if it is one all the same"
            if other is not None:
                said = f"the {role}: {refused.said}, so that it ties no events together"
                self._problems.append(Unread(said, options_of(role, "none"), all_the_same))
                return
            problem = asked.for_key(self._candidates(refused.name), self._evidence, has_time=False)
            said = f"the {role}: {refused.said}, so that it ties no events together"
            self._problems.append(problem._replace(problem=said, more=f"{problem.more} {all_the_same}".strip()))

    def _look_at_sharing(self) -> None:
        """Say where session ids, found by name alone, are shared by profiles."""
        if schema.SESSION_ID in self._by_name and all(role in self._columns for role in KEYS):
            session, profile = (self._columns[role][0] for role in KEYS)
            said = keys.shared_by_profiles(session, profile, self._evidence)
            self._notes += [] if said is None else [said]

    def _drop_constant(self) -> None:
        """A session id that is but one word for null, whoever the profile is, is none."""
        if schema.SESSION_ID not in self._by_name or not all(role in self._columns for role in KEYS):
            return
        name, profile = (self._columns[role][0] for role in KEYS)
        if keys.is_for_null(name, profile, self._evidence):
            ids, profiles = self._evidence.column(name), self._evidence.column(profile)
            del self._columns[schema.SESSION_ID]
            self._off.append(schema.SESSION_ID)
            self._notes.append(
                f"{name!r} is {ids.example!r} for all of {profiles.different:,} profiles: it is no session id"
            )

    @property
    def _plays(self) -> set[str]:
        """Columns that play a role, but for those of addresses, which may be an id as well."""
        return {
            part
            for role, names in self._columns.items()
            if role != schema.IP
            for name in names
            for part in (name, *roots(name))
        }

    @property
    def _taken(self) -> set[str]:
        return self._plays | self._refused

    def _error(self) -> UsageError:
        options = [each.options for each in self._problems if each.options]
        options += [self._time_hint] if self._time_hint else []
        more = [each.more for each in self._problems if each.more]
        if len(self._problems) == 1 and self._doubtful:
            return UsageError(self._problems[0].problem, hint=f"say which: {options[0]}")
        more += [] if self._private else list(elsewhere.rows_in(self._types, self._evidence))
        apart = elsewhere.fields_in(self._types)
        if apart is not None:
            return UsageError(self._problems[0].problem, hint=f"{apart}; as it is, it has one column")
        typed = f"did you mean {' '.join(options)}? " if options else "say which: "
        parts = "; ".join([*more, f"it has {listed(self._types)}"])
        return UsageError("; ".join(each.problem for each in self._problems), hint=f"{typed}{parts}")
