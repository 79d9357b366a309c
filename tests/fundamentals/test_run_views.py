"""Runs as they are shown: found page by page, as boxes and routes, and over time."""

import asyncio
import json

import pytest

import rotulus.workflow as wf
from fundamentals.flows import fail, put
from rotulus import BoxKind, RunGraph, State, Timeline, task
from rotulus.errors import JobNotFoundError, OptionError
from rotulus.testing import drain


@pytest.fixture
def run(build, go):
    """A run of a workflow within a workflow, and of a step for each of three items."""
    with build("inner"):
        wf.task(id="one")(put(one=1))
        wf.task(id="two", dependencies=["one"])(put(two=2))
    with build() as builder:
        wf.task(id="list")(put(items=[1, 2, 3]))
        builder.add_task("inner", dependencies=["list"])

        @wf.task(id="each", dependencies=["list"], for_each="items")
        def each(context):
            if context["item"] == 2:
                raise ValueError(context["item"])

    return go()


@pytest.fixture
def send(app):
    """A task that is no workflow."""
    return task("send", registry=app.registry)(lambda **arguments: None)


def boxes(graph):
    """The boxes of a drawing, by their names."""
    return {box.id: box for box in graph.boxes}


def test_a_run_is_boxes_and_routes(app, run):
    """With the state of each step, and the counts of what it has within."""
    graph = app.runs.graph(run.id)
    by_name = boxes(graph)

    assert isinstance(graph, RunGraph)
    assert (run.id, "", "flow", State.FAILED, False) == (
        *(graph.run, graph.step, graph.task),
        *(graph.state, graph.folded),
    )
    assert {"list", "inner", "each"} == set(by_name)
    assert [("list", "inner"), ("list", "each")] == [(r.source, r.target) for r in graph.routes]
    assert ["succeeded", "succeeded", "failed"] == [by_name[name].state for name in by_name]
    assert {"succeeded": 2, "failed": 1} == by_name["each"].counts
    assert {"succeeded": 2} == by_name["inner"].counts
    assert {} == by_name["list"].counts
    assert [BoxKind.STEP, BoxKind.WORKFLOW, BoxKind.BRANCHES] == [box.kind for box in graph.boxes]
    assert "3 of 3 ended, 1 failed" in by_name["each"].lines
    assert app.get(by_name["each"].job).step == by_name["each"].step == "each"


def test_routes_lead_from_box_to_box(app, run):
    """From the lower edge of one to the upper edge of the other, within the drawing."""
    graph = app.runs.graph(run.id)
    by_name = boxes(graph)

    for route in graph.routes:
        source, target = by_name[route.source], by_name[route.target]
        (_, begin), (_, end) = route.points[0], route.points[-1]
        assert pytest.approx(source.y + source.height, abs=0.11) == begin
        assert pytest.approx(target.y, abs=0.11) == end
    for box in graph.boxes:
        assert 0 <= box.x <= box.x + box.width <= graph.width + 0.11
        assert 0 <= box.y <= box.y + box.height <= graph.height + 0.11


def test_a_drawing_is_json(app, run):
    """Plain data, and frozen."""
    graph = app.runs.graph(run.id)
    data = graph.to_dict()

    assert data == json.loads(json.dumps(data))
    assert [box.id for box in graph.boxes] == [box["id"] for box in data["boxes"]]
    assert all(len(route["points"]) % 2 == 0 for route in data["routes"])
    with pytest.raises(AttributeError):
        graph.boxes[0].state = State.DEAD
    with pytest.raises(TypeError):
        graph.boxes[1].counts["dead"] = 1
    assert "flow: 3 steps" in graph.svg()
    assert "s_list --> s_each" in graph.mermaid()


def test_a_workflow_within_is_drawn_by_itself(app, run):
    """By the id of its job, which its box has."""
    inner = boxes(app.runs.graph(run.id))["inner"]
    graph = app.runs.graph(inner.job)

    assert (run.id, inner.job, "inner") == (graph.run, graph.job, graph.step)
    assert ["one", "two"] == [box.id for box in graph.boxes]
    assert ["inner/one", "inner/two"] == [box.step for box in graph.boxes]


def test_branches_are_one_box_however_many_there_are(app, build):
    """The drawing of a run does not grow with them."""
    with build():
        wf.task(id="list")(put(items=list(range(10_000))))
        wf.task(id="each", dependencies=["list"], for_each="items")(put())
    run = app.enqueue("flow")
    for step in ("list", "each"):
        app.jobs.run(app.runs.step(run.id, step).job.id)

    graph = app.runs.graph(run.id)
    each = boxes(graph)["each"]
    assert ({"queued": 10_000}, State.BLOCKED) == (each.counts, each.state)
    assert "0 of 10,000 ended" in each.lines
    assert len(json.dumps(graph.to_dict())) < 2_000
    alone = app.runs.graph(each.job)
    assert ["each"] == [box.id for box in alone.boxes]
    assert {"queued": 10_000} == alone.boxes[0].counts


def test_a_run_is_drawn_as_it_was_begun(app, run):
    """An app that does not declare the workflow draws the same boxes, routes and counts."""
    known = app.runs.graph(run.id)
    app.registry.clear()
    graph = app.runs.graph(run.id)

    assert boxes(known).keys() == boxes(graph).keys()
    assert [box.counts for box in known.boxes] == [box.counts for box in graph.boxes]
    assert [box.kind for box in known.boxes] == [box.kind for box in graph.boxes]
    ends = [[(route.source, route.target) for route in one.routes] for one in (known, graph)]
    assert ends[0] == ends[1]


def test_what_a_workflow_declares_now_stands_in_the_boxes(app, build, go):
    """The array of a step and its trigger rule."""
    with build():
        wf.task(id="list")(put(items=[1]))
        wf.task(id="each", dependencies=["list"], for_each="items")(put())
        wf.task(id="late", dependencies=["list"], trigger=wf.any_failed)(put())
    graph = app.runs.graph(go().id)

    assert "for each of items" in boxes(graph)["each"].lines
    assert [line for line in boxes(graph)["late"].lines if line.startswith("if ")]
    assert State.SKIPPED == boxes(graph)["late"].state


def test_a_group_is_its_jobs_and_its_callback(app, send):
    """However many jobs it has."""
    done = task("done", registry=app.registry)(lambda outcomes: None)
    with app.group("import", then=done) as group:
        empty = app.runs.graph(group.id)
        send.using(group=group).enqueue_many([(), (), ()])
        graph = app.runs.graph(group.id)
    drain(app)
    ended = boxes(app.runs.graph(group.id))

    assert ["jobs", "callback"] == [box.id for box in graph.boxes]
    assert [("jobs", "callback")] == [(r.source, r.target) for r in graph.routes]
    assert ({}, {"queued": 3}) == (boxes(empty)["jobs"].counts, boxes(graph)["jobs"].counts)
    assert ({"succeeded": 3}, State.SUCCEEDED) == (ended["jobs"].counts, ended["callback"].state)
    assert (group.id, "done") == (ended["callback"].job, ended["callback"].task)


def test_a_run_that_has_not_begun_is_drawn_as_declared(app, build, send):
    """Without states; a job that is no run has no drawing."""
    with build():
        wf.task(id="a")(put())
        wf.task(id="b", dependencies=["a"])(put())
    later = app.using(delay=60).enqueue("flow")
    graph, plain = app.runs.graph(later.id), send.enqueue()

    assert [("a", None, None), ("b", None, None)] == [(b.id, b.job, b.state) for b in graph.boxes]
    assert (later.id, State.DELAYED) == (graph.run, graph.state)
    with pytest.raises(JobNotFoundError, match="'send' is not a run of a workflow"):
        app.runs.graph(plain.id)
    with pytest.raises(JobNotFoundError, match="No job"):
        app.runs.graph("nobody")


@pytest.mark.parametrize("shape", ["dense", "long", "wide"])
def test_more_steps_than_can_be_drawn_are_folded_by_their_levels(app, build, shape):
    """However they depend on each other."""
    needs = {
        "dense": lambda n: [f"s{m}" for m in range(n - n % 50 - 50, n - n % 50) if m >= 0],
        "long": lambda n: [f"s{n - 1}"] if n else [],
        "wide": lambda n: ["s0"] if n else [],
    }[shape]
    with build():
        for number in range(310):
            wf.task(id=f"s{number}", dependencies=needs(number))(put())
    run = app.enqueue("flow")
    app.jobs.run(app.runs.step(run.id, "s0").job.id)
    graph = app.runs.graph(run.id)

    assert graph.folded
    counted = sum(sum(box.counts.values()) or 1 for box in graph.boxes)
    assert ({"dense": 7, "long": 155, "wide": 2}[shape], 310) == (len(graph.boxes), counted)
    assert len(graph.boxes) - 1 == len(graph.routes)


def test_a_timeline_says_when_steps_waited_and_ran(app, run):
    """The steps of workflows within, too; of all, those that ran the longest."""
    whole = app.runs.timeline(run.id)
    by_step = {row.step: row for row in whole.rows}

    assert isinstance(whole, Timeline)
    assert {"list", "inner", "inner/one", "inner/two", "each"} == set(by_step)
    assert whole.start <= by_step["list"].ran[0].start <= by_step["list"].ran[0].end <= whole.end
    assert by_step["inner/one"].waited[-1].end == by_step["inner/one"].ran[0].start
    assert by_step["inner/one"].ran[-1].end <= by_step["inner/two"].ran[0].start
    assert ["each"] == [row.step for row in whole.rows if row.went_wrong]
    assert whole.to_dict() == json.loads(json.dumps(whole.to_dict()))
    short = app.runs.timeline(run.id, limit=2)
    longest = sorted((row.seconds for row in whole.rows), reverse=True)[:2]
    assert (3, sorted(longest)) == (short.left_out, sorted(row.seconds for row in short.rows))


def test_a_run_that_has_not_begun_has_an_empty_timeline(app, build):
    """From its enqueue until now."""
    with build():
        wf.task(id="a")(put())
    run = app.enqueue("flow")

    timeline = app.runs.timeline(run.id)
    assert ((), 0, run.created_at) == (timeline.rows, timeline.left_out, timeline.start)
    with pytest.raises(OptionError, match="limit=-1 is not allowed"):
        app.runs.timeline(run.id, limit=-1)


def test_runs_are_found_page_by_page(app, build, send):
    """The last one first, each once; no step of one, and no other job."""
    with build():
        wf.task(id="a")(put())
    runs = []
    for _ in range(5):
        runs.append(app.enqueue("flow").id)
        send.enqueue()
    first = app.runs.find(limit=2)
    second = app.runs.find(limit=2, after=first.next)
    third = app.runs.find(limit=2, after=second.next)

    assert runs[::-1] == [run.id for page in (first, second, third) for run in page]
    assert None is third.next
    assert runs[1::-1] == [run.id for run in app.runs.find(after=runs[2])]
    assert [] == app.runs.find(limit=0)


def test_runs_are_found_by_how_they_stand(app, build, send):
    """`running` is every run that has not ended; groups are runs, too."""
    with build():
        wf.task(id="a")(put())
    with build("broken"):
        wf.task(id="a")(fail)
    done = task("done", registry=app.registry)(lambda outcomes: None)
    good, bad = app.enqueue("flow"), app.using(labels={"customer": "7"}).enqueue("broken")
    drain(app)
    group = app.group("import", then=done).open()
    under_way = app.using(key="k").enqueue("flow")
    app.pause("default")
    app.using(delay=60).enqueue("flow")

    def found(**where):
        return [run.id for run in app.runs.find(**where)]

    assert [under_way.id, group.id, bad.id, good.id] == found()
    assert [under_way.id, group.id] == found(state="running")
    assert [bad.id] == found(state="failed")
    assert [under_way.id, group.id, good.id] == found(state=["running", "succeeded"])
    assert [under_way.id, good.id] == found(task="flow")
    assert [bad.id] == found(task="broken")
    assert [group.id] == found(group="import")
    assert [under_way.id] == found(key="k")
    assert [bad.id] == found(label={"customer": "7"})
    assert [] == found(since=under_way.created_at, until=under_way.created_at)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"stat": "failed"}, "Runs are not found by 'stat'; did you mean 'state'"),
        ({"queue": "mail"}, "Runs are not found by 'queue'"),
        ({"state": "done"}, "There is no state 'done'"),
        ({"group": "a", "key": "b"}, "Give group= or key=, and not both"),
        ({"group": ""}, "group name"),
        ({"group": 5}, "group name"),
        ({"task": "m*l"}, "m.l"),
        ({"limit": -1}, "limit=-1 is not allowed"),
        ({"after": "nonsense"}, "it is no cursor of these filters"),
    ],
)
def test_what_no_run_can_match_is_refused(app, where, words):
    """In words that say what to do."""
    with pytest.raises(OptionError, match=words):
        app.runs.find(**where)


def test_a_cursor_of_runs_is_for_runs(app, build):
    """With their filters, and not for jobs."""
    with build():
        wf.task(id="a")(put())
    for _ in range(2):
        app.enqueue("flow")
    cursor = app.runs.find(limit=1).next

    for ask in (app.jobs.find, lambda after: app.runs.find(after=after, task="flow")):
        with pytest.raises(OptionError, match="it is no cursor of these filters"):
            ask(after=cursor)


def test_coroutines_have_the_same(app, run):
    """As of every resource."""

    async def ask():
        found = await app.runs.afind()
        graph, timeline = await app.runs.agraph(run.id), await app.runs.atimeline(run.id)
        return [job.id for job in found], graph, timeline.to_dict()["rows"]

    found, graph, rows = asyncio.run(ask())
    assert ([run.id], app.runs.graph(run.id)) == (found, graph)
    assert app.runs.timeline(run.id).to_dict()["rows"] == rows
