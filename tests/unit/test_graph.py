"""Drawings: the layout, crossings, escaped text, and the graph of a workflow."""

import json
import re
from graphlib import CycleError
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus import State, TaskRegistry
from rotulus._workflows.drawing import TONES, graph_of
from rotulus.errors import OptionError
from rotulus.workflow import (
    Step,
    Workflow,
    any_failed,
    any_of,
    context_value,
    layout,
    mermaid,
    svg,
    task_failed,
)
from rotulus_graph import Graph, Node, Tone, lay_out, to_mermaid, to_svg
from rotulus_graph.cards import NAME, NOTE, card_size
from rotulus_graph.coordinates import assign_centres
from rotulus_graph.layout import SPACE, arrange
from rotulus_graph.mermaid import escape, node_id
from rotulus_graph.rows import Link, crossings, layers, neighbours, reduce_crossings

pytestmark = pytest.mark.anywhere


def drawn(needs, **options):
    """A workflow of steps that need each other like this; options of steps by id."""
    registry = TaskRegistry()
    registry.register("noop")(lambda: None)
    task = registry.get("noop")
    steps = [
        Step(one, task, tuple(others), **options.get(one, {})) for one, others in needs.items()
    ]
    return Workflow.of("etl", steps)


@st.composite
def acyclic(draw):
    """What each of some steps needs, in any order of declaration."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 14)))]
    needs = {
        name: draw(st.lists(st.sampled_from(names[:i]), unique=True, max_size=5)) if i else []
        for i, name in enumerate(names)
    }
    return {name: needs[name] for name in draw(st.permutations(names))}


def edges_of(needs):
    """A pair for each need: what is needed, and what needs it."""
    return [(need, one) for one, others in needs.items() for need in others]


@st.composite
def layouts(draw):
    """A layout, with what it is one of: needs and sizes."""
    needs = draw(acyclic())
    size = st.tuples(st.floats(1, 300), st.floats(1, 90))
    sizes = {name: draw(size) for name in needs}
    edges = edges_of(needs)
    return needs, sizes, arrange(layers(list(needs), edges), edges, sizes)


@given(layouts())
def test_every_edge_points_downward(found):
    """From the lower edge of what is needed to the upper edge of what needs it, never up again."""
    needs, _, layout = found
    assert {(r.source, r.target) for r in layout.routes} == {
        (need, one) for one in needs for need in needs[one]
    }
    for route in layout.routes:
        source, target = layout.boxes[route.source], layout.boxes[route.target]
        heights = [y for _, y in route.points]
        assert heights == sorted(heights)
        assert source.bottom == heights[0] < heights[-1] == target.y
        assert source.x <= route.points[0][0] <= source.x + source.width
        assert target.x <= route.points[-1][0] <= target.x + target.width


@given(layouts())
def test_no_two_boxes_overlap(found):
    """There is space between them; they keep their sizes, and all are within the drawing."""
    needs, sizes, layout = found
    boxes = [layout.boxes[name] for name in needs]
    for number, a in enumerate(boxes):
        for b in boxes[number + 1 :]:
            beside = a.x + a.width + SPACE <= b.x + 1e-6 or b.x + b.width + SPACE <= a.x + 1e-6
            assert beside or a.bottom < b.y or b.bottom < a.y
    assert all((box.width, box.height) == sizes[n] for n, box in layout.boxes.items())
    assert min(box.x for box in boxes) >= -1e-6
    assert max(box.x + box.width for box in boxes) <= layout.width + 1e-6
    assert max(box.bottom for box in boxes) <= layout.height + 1e-6


@given(layouts())
def test_no_edge_runs_through_a_box(found):
    """One that passes a row goes straight down between the boxes of it."""
    _, _, layout = found
    for route in layout.routes:
        inner = route.points[1:-1]
        for (x, top), (_, bottom) in zip(inner[::2], inner[1::2], strict=True):
            for box in layout.boxes.values():
                if box.y < bottom and top < box.bottom:
                    assert x < box.x or box.x + box.width < x


@given(acyclic())
def test_sorting_never_makes_more_crossings(needs):
    """Every place stays in its row."""
    unsorted = layers(list(needs), edges_of(needs))
    row_of = {name: n for n, row in enumerate(unsorted) for name in row}
    links = [Link(a, b) for a, b in edges_of(needs) if row_of[b] == row_of[a] + 1]
    _, below = neighbours(links)
    rows = reduce_crossings(unsorted, links)

    assert [sorted(row) for row in rows] == [sorted(row) for row in unsorted]
    assert crossings(rows, below) <= crossings(unsorted, below)


def test_what_can_be_untangled_is():
    """Two edges that cross as they were declared, and do not when sorted."""
    layout = arrange(
        [["a", "b"], ["x", "y"]],
        [("a", "y"), ("b", "x")],
        dict.fromkeys("abxy", (50.0, 20.0)),
    )
    boxes = layout.boxes

    assert (boxes["a"].x < boxes["b"].x) == (boxes["y"].x < boxes["x"].x)


def test_a_chain_is_straight_and_a_diamond_even():
    """Everything stands below the middle of what it needs."""
    size = (80.0, 30.0)
    chain = arrange([["a"], ["b"], ["c"]], [("a", "b"), ("b", "c")], dict.fromkeys("abc", size))
    assert 1 == len({box.x for box in chain.boxes.values()})
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    even = arrange([["a"], ["b", "c"], ["d"]], edges, dict.fromkeys("abcd", size)).boxes

    assert even["a"].x == pytest.approx(even["d"].x, abs=0.5)
    assert even["a"].x == pytest.approx((even["b"].x + even["c"].x) / 2, abs=0.5)


def test_a_row_without_anything_has_no_places():
    """Nor does it trouble those around it."""
    assert {"a": 5.0} == assign_centres([["a"], []], [], {"a": 10.0}, 4.0)


@pytest.mark.parametrize(
    "step_id", ["end", "a-b", "a--b", "-", "a-", "graph", "default", "o", "x1"]
)
def test_ids_are_none_of_mermaids_words(step_id):
    """Nor a part of an arrow, and no two are the same."""
    made = node_id(step_id)

    assert re.fullmatch(r"s_[A-Za-z0-9_-]+", made)
    assert "--" not in made
    assert step_id == re.sub("_-", "-", made[2:])


@given(st.text(alphabet="a_-", max_size=8), st.text(alphabet="a_-", max_size=8))
def test_different_steps_have_different_nodes(a, b):
    """However much hyphens and underscores look alike."""
    assert (node_id(a) == node_id(b)) == (a == b)


@given(st.text())
def test_labels_cannot_break_out(text):
    """What Mermaid would read is an entity; the text is the same to who reads it."""
    made = escape(text)

    assert not re.search(r'["<>&`\[\]{}\n]', made)
    assert " ".join(text.split()) == re.sub(r"#(\d+);", lambda f: chr(int(f[1])), made)


def test_rules_are_shown_without_needless_parentheses():
    """Only those around the whole of it are needless."""
    rule = any_of(any_failed, context_value("rows", ">", 3))
    both = (any_failed | task_failed("a")) & (any_failed | task_failed("a"))
    needs = {"a": [], "b": ["a"], "c": ["a"]}
    _, b, c = graph_of(drawn(needs, b={"trigger": rule}, c={"trigger": both})).nodes

    assert "any_failed | context_value('rows', '>', 3)" == b.condition
    assert "(any_failed | task_failed('a')) & (any_failed | task_failed('a'))" == c.condition


def test_what_is_said_is_escaped_in_svg():
    """Also in the words of a rule, and where it is cut short there is the whole of it."""
    rule = context_value("rows", "==", "<script>&'\"" + "x" * 40)
    text = svg(drawn({"a": [], "b": ["a"]}, b={"trigger": rule}))
    root = ET.fromstring(text)

    assert "<script" not in text
    titles = [unescape(t.text) for t in root.iter("{http://www.w3.org/2000/svg}title")]
    assert f"b, noop, if {rule}" in titles
    assert any((t.text or "").endswith("…") for t in root.iter("{http://www.w3.org/2000/svg}text"))


def test_states_are_known_ones():
    """By name, or as they are; steps that are not named are drawn as they are."""
    workflow = drawn({"a": [], "b": ["a"]})

    assert svg(workflow, {"a": "failed"}) == svg(workflow, {"a": State.FAILED})
    assert '<g class="plain"><title>b' in svg(workflow, {"a": "failed"})
    for draw in (svg, mermaid, layout):
        with pytest.raises(OptionError, match="'broken' is not a state: use one of blocked"):
            draw(workflow, {"a": "broken"})


def test_labels_fit_into_their_cards():
    """Whatever is written in them, by the widths that letters have at most."""
    long = {"a-step-with-a-very-long-name-that-nobody-would-give": [], "m" * 30: []}
    text = svg(drawn(long, **{"m" * 30: {"for_each": "W" * 30}}))
    root = ET.fromstring(text)
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        boxes = [float(b.get("width")) for b in group.findall("{http://www.w3.org/2000/svg}rect")]
        for label in group.findall("{http://www.w3.org/2000/svg}text"):
            letters = NAME if label.get("class") == "name" else NOTE
            assert letters.width(label.text) < max(boxes)


def test_a_workflow_of_a_thousand_steps_is_drawn():
    """In layers of forty, each step needing two of those before."""
    needs = {f"s{n}": [f"s{n - 40}", f"s{n - 40 - n % 7}"] if n >= 47 else [] for n in range(1000)}
    assert 1000 == svg(drawn(needs)).count('class="name"')


@given(acyclic())
def test_rows_are_the_levels_in_which_steps_run(needs):
    """Each row in the order of declaration."""
    assert drawn(needs).get_execution_levels() == layers(list(needs), edges_of(needs))


@given(acyclic())
def test_a_layout_is_json(needs):
    """It has a box for each node and a route for each edge, in tenths of a pixel."""
    nodes = [Node(name, caption="m" * number) for number, name in enumerate(needs)]
    found = lay_out(Graph("g", nodes, edges_of(needs)))
    data = found.to_json()

    assert data == json.loads(json.dumps(data))
    assert data["width"] == round(found.width, 1)
    assert list(data["boxes"]) == list(found.boxes)
    for name, box in data["boxes"].items():
        assert set(box) == {"x", "y", "width", "height"}
        assert (box["x"], box["y"]) == pytest.approx(
            (found.boxes[name].x, found.boxes[name].y), abs=0.06
        )
    assert [(r["source"], r["target"]) for r in data["routes"]] == edges_of(needs)
    for route, exact in zip(data["routes"], found.routes, strict=True):
        assert len(route["points"]) % 2 == 0
        assert [tuple(p) for p in route["points"]] == [
            (round(x, 1), round(y, 1)) for x, y in exact.points
        ]


def test_the_boxes_of_a_layout_hold_the_text_of_their_steps():
    """A state is one line more."""
    workflow = drawn({"a": [], "b": ["a"]}, b={"for_each": "files"})
    plain, run = layout(workflow), layout(workflow, {"b": "running"})

    assert {node.id: card_size(node) for node in graph_of(workflow).nodes} == {
        name: (box.width, box.height) for name, box in plain.boxes.items()
    }
    assert run.boxes["b"].height == plain.boxes["b"].height + NOTE.line
    assert run.boxes["a"].height == plain.boxes["a"].height


def test_each_state_has_a_colour():
    """A failed step does not look like one that succeeded, nor like a dead one."""
    assert set(State) == set(TONES)
    assert 3 == len({TONES[s] for s in (State.SUCCEEDED, State.FAILED, State.DEAD)})
    assert Tone.PLAIN not in TONES.values()


def test_a_graph_without_nodes_is_drawn():
    """It has a headline and no size."""
    empty = Graph("nothing", [])

    assert {"width": 0.0, "height": 0.0, "boxes": {}, "routes": []} == lay_out(empty).to_json()
    assert ">nothing: 0 steps</title>" in to_svg(empty)
    assert "flowchart TD\n" == to_mermaid(empty)


@pytest.mark.parametrize("name", ["", "a b", "a/b", 'a"'])
def test_the_id_of_a_node_is_one_word(name):
    """It stands in the text of Mermaid as it is."""
    with pytest.raises(ValueError, match=re.escape(f"Node id {name!r} is not allowed")):
        Node(name)


@pytest.mark.parametrize("state", ["in 5", "x;y", ":::"])
def test_the_state_of_a_node_is_one_word(state):
    """It is the name of a class in Mermaid."""
    with pytest.raises(ValueError, match=f"Node 'a': state '{state}' is not allowed"):
        Node("a", state=state)


def test_a_wrong_graph_is_refused():
    """Two nodes of one id, an edge to nowhere, and a circle."""
    a, b = Node("a"), Node("b")

    with pytest.raises(ValueError, match="Graph 'g' has 2 nodes with the id 'a'"):
        Graph("g", [a, b, a])
    with pytest.raises(ValueError, match=r"edge \('a', 'c'\) names no node 'c'"):
        Graph("g", [a, b], [("a", "c")])
    with pytest.raises(CycleError):
        lay_out(Graph("g", [a, b], [("a", "b"), ("b", "a")]))
    assert (("a", "b"),) == Graph("g", [a, b], [("a", "b"), ("a", "b")]).edges
