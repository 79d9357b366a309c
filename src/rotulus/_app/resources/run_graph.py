"""A run as boxes and the routes between them, as it stands: a value that a page can draw."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._workflows.drawing import TONES, node_of
from rotulus._workflows.paths import split_path
from rotulus._workflows.workflow import Workflow
from rotulus.store import Part
from rotulus_graph import Graph, Layout, Node, Point, Tone, lay_out, layers, to_mermaid, to_svg
from rotulus_graph.cards import card_notes

MOST_BOXES = 300
"""How many boxes a drawing has. Of more steps, those of one level are one box."""

_MOST_PLACES = 2_000
"""How many rows all edges may pass together, before levels are folded: each is a point to place."""

_JOBS, _CALLBACK = "jobs", "callback"


class BoxKind(StrEnum):
    """The kind of thing that a box stands for."""

    STEP = "step"
    """A step."""
    BRANCHES = "branches"
    """A step that runs for each item of an array, with all of its branches."""
    WORKFLOW = "workflow"
    """A step that is a workflow, with all of its steps."""
    STEPS = "steps"
    """The steps of a level, or of several, where there are too many to draw."""
    JOBS = "jobs"
    """The jobs of a group."""
    CALLBACK = "callback"
    """The callback of a group."""


@dataclass(frozen=True, slots=True)
class GraphBox:
    """A box of a drawing.

    Attributes:
        id: its name among the boxes: the id of its step.
        kind: the kind of thing that it stands for.
        step: the path of its step in the run; None for a box that is not one step.
        job: the id of its job; None where there is none, or there are several.
        task: the name of its task; None where there are several.
        state: the state of its job; None where there is none, or there are several.
        counts: how many parts are in which state, if it stands for parts: branches, steps or jobs.
        lines: the lines of text below the name, from above to below.
        tone: its colour, by its meaning: `plain`, `idle`, `waiting`, `active`, `good`, `bad` or
            `fatal`.
        x: its left edge, in pixels from the left edge of the drawing.
        y: its upper edge, in pixels from the upper edge of the drawing.
        width: its width, in pixels.
        height: its height, in pixels.
    """

    id: str
    kind: BoxKind
    step: str | None
    job: str | None
    task: str | None
    state: State | None
    counts: Mapping[State, int]
    lines: tuple[str, ...]
    tone: str
    x: float
    y: float
    width: float
    height: float

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data."""
        data = {name: getattr(self, name) for name in self.__slots__}
        return data | {"counts": dict(self.counts), "lines": list(self.lines)}


@dataclass(frozen=True, slots=True)
class GraphRoute:
    """The way of an edge from one box down to another.

    Attributes:
        source: the id of the box where it begins.
        target: the id of the box where it ends.
        points: pairs of x and y, an even number of them. From the first to the second of two it
            crosses the space between two rows; from two to the next two it goes straight down.
    """

    source: str
    target: str
    points: tuple[Point, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data."""
        points = [list(point) for point in self.points]
        return {"source": self.source, "target": self.target, "points": points}


@dataclass(frozen=True, slots=True)
class RunGraph:
    """A run, or a step of it that is a workflow, as boxes and the routes between them.

    Attributes:
        run: the id of the run.
        job: the id of the job whose parts are drawn: that of the run, or of a step.
        step: the path of that job in the run; `""` for the run.
        task: the name of the workflow, or of the task of that job.
        state: the state of that job.
        folded: whether there were too many steps, so that a box stands for all steps of a level.
        boxes: the boxes.
        routes: the routes between them.
        width: the width of the drawing, in pixels.
        height: the height of the drawing, in pixels.
        graph: the same for the functions of `rotulus_graph`, without places.
    """

    run: str
    job: str
    step: str
    task: str
    state: State
    folded: bool
    boxes: tuple[GraphBox, ...]
    routes: tuple[GraphRoute, ...]
    width: float
    height: float
    graph: Graph = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data, without `graph`."""
        names = ("run", "job", "step", "task", "state", "folded")
        return {name: getattr(self, name) for name in names} | {
            "boxes": [box.to_dict() for box in self.boxes],
            "routes": [route.to_dict() for route in self.routes],
            "width": self.width,
            "height": self.height,
        }

    def svg(self) -> str:
        """Returns the drawing as SVG: one file, light or dark as its reader prefers."""
        return to_svg(self.graph)

    def mermaid(self) -> str:
        """Returns the drawing as a Mermaid flowchart."""
        return to_mermaid(self.graph)


Counts = Mapping[State, int]
"""How many jobs are in which state."""


class Inside(NamedTuple):
    """The parts of a step.

    Attributes:
        counts: how many are in which state.
        are_branches: whether they are branches, and not steps.
    """

    counts: Counts
    are_branches: bool


class _Drawn(NamedTuple):
    """What is drawn as a box, before it has a place."""

    node: Node
    kind: BoxKind
    records: Sequence[JobRecord]
    counts: Counts


def graph_of_steps(
    whole: JobRecord, parts: Sequence[Part], inside: Mapping[str, Inside], declared: Workflow | None
) -> RunGraph:
    """Returns the drawing of a job that is made of steps.

    Args:
        whole: the job.
        parts: its steps.
        inside: the parts of steps that have some, by the path of the step.
        declared: its workflow as it is declared now: what it says of a step that is still the same
            stands in the box.
    """
    names = {part.record.id: split_path(part.record.step)[1] for part in parts}
    records = [part.record for part in parts]
    drawn = [_step(record, inside.get(record.step or ""), declared) for record in records]
    edges = [(names[need], names[part.record.id]) for part in parts for need in part.needs]
    return _graph(whole, *_folded(drawn, edges))


def graph_of_declared(whole: JobRecord, declared: Workflow) -> RunGraph:
    """Returns the drawing of a run that has not begun, by its workflow."""
    steps = declared.steps.values()
    nodes = [node_of(declared, step, None) for step in steps]
    drawn = [_Drawn(node, _kind(node), (), {}) for node in nodes]
    edges = [(need, step.id) for step in steps for need in step.needs]
    return _graph(whole, *_folded(drawn, edges))


def graph_of_branches(whole: JobRecord, counts: Counts) -> RunGraph:
    """Returns the drawing of a step with branches: one box."""
    return _graph(whole, [_step(whole, Inside(counts, True), None)], [], is_folded=False)


def graph_of_group(whole: JobRecord, counts: Counts) -> RunGraph:
    """Returns the drawing of a group: its jobs, and its callback.

    Args:
        whole: the job of the callback.
        counts: how many of the jobs are in which state.
    """
    state = State(whole.state)
    jobs = Node(_JOBS, detail=_told(counts), tone=_tone(counts))
    callback = Node(_CALLBACK, caption=whole.task, state=state, tone=TONES[state])
    drawn = [
        _Drawn(jobs, BoxKind.JOBS, (), counts),
        _Drawn(callback, BoxKind.CALLBACK, [whole], {}),
    ]
    return _graph(whole, drawn, [(_JOBS, _CALLBACK)], is_folded=False)


def _step(record: JobRecord, inside: Inside | None, declared: Workflow | None) -> _Drawn:
    node = _node(record, declared)
    if inside is None:
        return _Drawn(node, _kind(node), [record], {})
    kind = BoxKind.BRANCHES if inside.are_branches else BoxKind.WORKFLOW
    nested = node.nested or kind is BoxKind.WORKFLOW
    node = replace(node, detail=_told(inside.counts), nested=nested)
    return _Drawn(node, kind, [record], inside.counts)


def _node(record: JobRecord, declared: Workflow | None) -> Node:
    name, state = split_path(record.step)[1], State(record.state)
    known = None if declared is None else declared.steps.get(name)
    if declared is not None and known is not None and known.task.name == record.task:
        return node_of(declared, known, state)
    is_own = record.task in (name, f"{record.workflow}.{name}")
    return Node(name, caption="" if is_own else record.task, state=state, tone=TONES[state])


def _kind(node: Node) -> BoxKind:
    return BoxKind.BRANCHES if node.repeats else BoxKind.WORKFLOW if node.nested else BoxKind.STEP


def _graph(
    whole: JobRecord, drawn: Sequence[_Drawn], edges: Sequence[tuple[str, str]], is_folded: bool
) -> RunGraph:
    graph = Graph(whole.task, [one.node for one in drawn], edges)
    layout = lay_out(graph)
    return RunGraph(
        whole.run or whole.id,
        whole.id,
        whole.step or "",
        whole.task,
        State(whole.state),
        is_folded,
        tuple(_box(one, layout) for one in drawn),
        tuple(
            GraphRoute(route.source, route.target, tuple(map(_point, route.points)))
            for route in layout.routes
        ),
        _rounded(layout.width),
        _rounded(layout.height),
        graph,
    )


def _box(drawn: _Drawn, layout: Layout) -> GraphBox:
    node, place = drawn.node, layout.boxes[drawn.node.id]
    [record] = drawn.records if len(drawn.records) == 1 else [None]
    of_job = (None, None, None, None)
    if record is not None:
        of_job = (record.step or "", record.id, record.task, State(record.state))
    return GraphBox(
        node.id,
        drawn.kind,
        *of_job,
        MappingProxyType({state: drawn.counts[state] for state in State if state in drawn.counts}),
        tuple(str(text) for _, text in card_notes(node)),
        node.tone,
        _rounded(place.x),
        _rounded(place.y),
        _rounded(place.width),
        _rounded(place.height),
    )


def _folded(
    drawn: Sequence[_Drawn], edges: Sequence[tuple[str, str]]
) -> tuple[Sequence[_Drawn], Sequence[tuple[str, str]], bool]:
    """Returns boxes and edges: as they are, or a chain of levels if they are too many."""
    rows = layers([one.node.id for one in drawn], edges)
    row_of = {name: number for number, row in enumerate(rows) for name in row}
    places = sum(row_of[target] - row_of[source] for source, target in edges)
    if len(drawn) <= MOST_BOXES and places <= _MOST_PLACES:
        return drawn, edges, False
    by_name = {one.node.id: one for one in drawn}
    at_once = -(-len(rows) // MOST_BOXES)
    chains = [rows[first : first + at_once] for first in range(0, len(rows), at_once)]
    levels = [
        _level(number, [by_name[name] for row in chain for name in row], by_name)
        for number, chain in enumerate(chains, 1)
    ]
    return levels, [(a.node.id, b.node.id) for a, b in pairwise(levels)], True


def _level(number: int, steps: Sequence[_Drawn], taken: Iterable[str]) -> _Drawn:
    if len(steps) == 1:
        return steps[0]
    name = f"level-{number}"
    while name in taken:
        name += "-"
    records = [record for one in steps for record in one.records]
    counts = Counter(State(record.state) for record in records)
    detail = _told(counts) or f"{len(steps):,} steps"
    return _Drawn(Node(name, detail=detail, tone=_tone(counts)), BoxKind.STEPS, records, counts)


def _told(counts: Counts) -> str:
    """`9 of 12 have ended, 1 failed`; nothing of none."""
    total = sum(counts.values())
    if not total:
        return ""
    ended = sum(jobs for state, jobs in counts.items() if state.ended)
    wrong = [
        f"{counts[state]:,} {state}" for state in (State.FAILED, State.DEAD) if counts.get(state)
    ]
    return ", ".join([f"{ended:,} of {total:,} ended", *wrong])


def _tone(counts: Counts) -> Tone:
    """Returns the colour of several jobs: that of the state which matters most."""
    for state in (State.DEAD, State.FAILED, State.RUNNING, State.QUEUED, State.DELAYED):
        if counts.get(state):
            return TONES[state]
    waits = counts.get(State.BLOCKED)
    return Tone.GOOD if counts.get(State.SUCCEEDED) and not waits else Tone.IDLE


def _point(point: Point) -> Point:
    x, y = point
    return _rounded(x), _rounded(y)


def _rounded(value: float) -> float:
    return round(value, 1)
