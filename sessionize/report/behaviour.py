"""Sections about what sessions do: conversions, a funnel, paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sessionize.readable import duration, hosts_cut, number, share, short_number
from sessionize.report.lengths import by_length
from sessionize.report.parts import Figure, Node, Part, Sankey, Section, Table
from sessionize.summary.paths import ARROW, ENDS, path_text

Data = Mapping[str, Any]
MOST_TYPES: Final = 12
SHOWN: Final = 2
"""Of what sessions did in place of a funnel's next step."""
ENDED: Final = "ended"


def conversions(data: Data, facts: Data) -> Section:
    """How many sessions convert, and when; else which event types there are.

    Args:
        data: The data of the answer.
        facts: What was read and decided.
    """
    meaning = "A conversion is an event that counts as success, such as a purchase; a session converts where it has at least one."
    if not data["conversions"]:
        when = "of the run itself " if facts["account"].get("outputs") else ""
        said = f"No event of these sessions is a conversion: --conversion NAME {when}says which event type is one."
        types = _types(facts.get("event_types") or {})
        return Section(name="conversions", title="Conversions", meaning=meaning, parts=[said, *types])
    waits = data["to_conversion"]
    won = round(data["conversion_rate"] * data["sessions"])
    said = f"{number(won)} of {number(data['sessions'])} sessions convert ({share(data['conversion_rate'])})"
    said += f", with {number(data['conversions'])} conversions"
    said += f" worth {short_number(data['value'])}" if data["value"] else ""
    said += "." if waits["median"] is None else f". Half of them convert within {duration(waits['median'])}."
    longest = max([3600.0, *(row["to_s"] for row in waits["classes"])])
    figure = by_length(
        "Sessions by time to their first conversion", "sessions", waits["zero"], waits["classes"], None, longest
    )
    return Section(name="conversions", title="Conversions", meaning=meaning, parts=[said, figure])


def _types(types: Mapping[str, int]) -> list[Part]:
    if not types:
        return []
    whole = sum(types.values())
    shown = list(types.items())[:MOST_TYPES]
    rows = [(name, number(many), share(many / whole)) for name, many in shown]
    rest = whole - sum(many for _, many in shown)
    rows += [("all others", number(rest), share(rest / whole))] if rest else []
    return [
        Table(
            caption="Event types of the whole log",
            head=("event type", "events", "share"),
            rows=rows,
            bars=[many for _, many in shown],
        )
    ]


def funnel(data: Data, facts: Data) -> Section | None:
    """How many sessions go from step to step.

    Args:
        data: The data of the answer.
        facts: What was read and decided.
    """
    found = data["funnel"]
    if found is None:
        return None
    shown = hosts_cut(left["name"] for step in found["steps"] for left in step["left_for"])
    rows = [_step(step, shown) for step in found["steps"]]
    head = ("step", "next instead", "sessions", "of the first", "of the step before", "median time to next")
    table = Table(
        caption="Sessions from step to step",
        head=head,
        rows=rows,
        texts=2,
        bars=[step["sessions"] for step in found["steps"]],
    )
    parts: list[Part] = [table, _funnel_said(found)]
    if found["groups"]:
        parts.append(_grouped(found["groups"], str(facts["by"])))
    meaning = "How many sessions take the steps in this order, within one session; other events may lie between."
    return Section(name="funnel", title="Funnel", meaning=meaning, parts=parts)


def _step(step: Data, shown: Callable[[str], str]) -> tuple[str, ...]:
    left = ", ".join(
        f"{'the end' if each['name'] == 'end' else shown(each['name'])} {share(each['share'])}"
        for each in step["left_for"][:SHOWN]
    )
    wait = step["median_s_to_next"]
    return (
        str(step["step"]), left, number(step["sessions"]), share(step["of_start"]),
        "" if step["of_step"] is None else share(step["of_step"]), "" if wait is None else duration(wait),
    )  # fmt: skip


def _funnel_said(found: Data) -> str:
    said = f"{number(found['never_began'])} of {number(found['sessions'])} sessions never took the first step."
    if found["converted"]:
        said += (
            f" {number(found['converted'])} converted in all: {number(found['converted_this_way'])} this way, "
            f"{number(found['converted_otherwise'])} otherwise."
        )
    return said


def _grouped(groups: Sequence[Data], by: str) -> Table:
    steps = [str(step["step"]) for step in groups[0]["steps"]]
    rows = [
        ("(none)" if group["name"] is None else str(group["name"]), number(group["sessions"]),
         *(share(step["sessions"] / group["sessions"] if group["sessions"] else None) for step in group["steps"]))
        for group in groups[:MOST_TYPES]
    ]  # fmt: skip
    return Table(caption=f"Funnel by {by}: shares of all sessions of a group", head=(by, "sessions", *steps), rows=rows)


def paths(data: Data, _: Data) -> Section:
    """Which ways sessions take.

    Args:
        data: The data of the answer.
    """
    found = data["paths"]
    meaning = "What sessions do first, second and so on: a page that is viewed, else the type of the event."
    if found["why"] is not None:
        return Section(name="paths", title="Paths", meaning=meaning, parts=[f"Not shown: {found['why']}."])
    names = [node["name"] for node in found["flows"]["nodes"]]
    shown = hosts_cut([*names, *(step for each in found["paths"] for step in each["steps"])])
    parts: list[Part] = [_flow(found, shown), _commonest(found, shown)]
    parts += ["A * stands for a number or an id in a page."] if found["folded"] else []
    return Section(name="paths", title="Paths", meaning=meaning, parts=parts)


def _path(steps: Sequence[str], shown: Callable[[str], str]) -> str:
    """A path as a line; one that is shorter than the others says that it ended."""
    ended = steps[-1] == ENDS
    text = path_text([shown(step) for step in (steps[:-1] if ended else steps)], repeats=False)
    return f"{text}{ARROW}({ENDED})" if ended else text


def _flow(found: Data, shown: Callable[[str], str]) -> Figure:
    flows = found["flows"]
    nodes, links = _nodes(flows, shown)
    heads = ["first", "second", "third", "fourth", "fifth"][: found["steps"]]
    whole = found["total"]
    rows = [
        (heads[nodes[one].step], nodes[one].name, nodes[other].name, number(many), share(many / whole))
        for one, other, many in links
    ]
    first = max((node for node in nodes if node.step == 0), key=lambda node: node.value)
    says = f"{number(whole)} sessions from event to event; {number(first.value)} begin with {first.name}."
    return Figure(
        title=f"From event to event: the first {found['steps']} of each session", says=says,
        chart=Sankey(nodes=nodes, links=links, heads=[f"{head} event" for head in heads]),
        table=Table(caption="Sessions from event to event", head=("event", "from", "to", "sessions", "share of all"),
                    rows=rows, texts=3),
    )  # fmt: skip


def _nodes(flows: Data, shown: Callable[[str], str]) -> tuple[list[Node], list[tuple[int, int, int]]]:
    """The nodes with an end at each step, in their order, and the links between them."""
    there = flows["nodes"]
    going = [0] * len(there)
    for link in flows["links"]:
        going[link["source"]] += link["sessions"]
    steps = max((node["step"] for node in there), default=0)
    nodes: list[Node] = []
    numbers: dict[int, int] = {}
    ends: dict[int, int] = {}
    for step in range(1, steps + 1):
        for place, node in enumerate(there):
            if node["step"] == step:
                numbers[place] = len(nodes)
                is_rest = node["name"] is None
                name = f"{number(node['names'])} others" if is_rest else shown(node["name"])
                nodes.append(Node(step=step - 1, name=name, value=node["sessions"], quiet=is_rest))
        ended = sum(node["sessions"] - going[place] for place, node in enumerate(there) if node["step"] == step - 1)
        if ended:
            ends[step] = len(nodes)
            nodes.append(Node(step=step - 1, name=ENDED, value=ended, quiet=True))
    links = []
    for place, node in enumerate(there):
        links += [
            (numbers[place], numbers[link["target"]], link["sessions"])
            for link in flows["links"]
            if link["source"] == place
        ]
        ended = node["sessions"] - going[place]
        if ended and node["step"] < steps:
            links.append((numbers[place], ends[node["step"] + 1], ended))
    return nodes, links


def _commonest(found: Data, shown: Callable[[str], str]) -> Table:
    whole, has_won = found["total"], bool(found["total_converted"])
    head = ("path", "sessions", "share", *(["conversion rate"] if has_won else []))

    def row(name: str, sessions: int, converted: int) -> tuple[str, ...]:
        won = [share(converted / sessions if sessions else None)] if has_won else []
        return (name, number(sessions), share(sessions / whole if whole else None), *won)

    rows = [row(_path(each["steps"], shown), each["sessions"], each["converted"]) for each in found["paths"]]
    if found["other_paths"]:
        rows.append(row(f"all others, {number(found['other_paths'])} paths", found["other"], found["other_converted"]))
    rows.append(row("all", whole, found["total_converted"]))
    bars = [each["sessions"] for each in found["paths"]]
    return Table(caption="The commonest paths", head=head, rows=rows, total=True, bars=bars)
