"""Answers are shared by requests that say how old they may be; the store is asked less often."""

import asyncio
import itertools
import threading
import time
from functools import partial

import httpx2
import pytest
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.testclient import TestClient

import rotulus.workflow as wf
from rotulus import App, Cancel, TaskRegistry, task
from rotulus.errors import StoreError
from rotulus.service import service_of
from rotulus.service.resources import (
    failures,
    jobs,
    limits,
    queues,
    runs,
    schedules,
    stats,
    workers,
)
from rotulus.service.sharing import RATE, SharedAnswers, Tolerance
from rotulus.testing import drain
from statement_counter import StatementCounter

pytestmark = pytest.mark.anywhere

LIVE = "max-age=1, max-stale=19"
"""What the console says of what changes with each job."""

STEADY = (
    *("queues", "limits", "workers", "schedules", "jobs?limit=100", "jobs?limit=100&state=failed"),
    *("failures?since=86400&limit=100", "failures?since=3600&limit=8", "stats/totals?since=3600"),
    *(
        f"stats/series?metric={metric}&since=3600&step=60"
        for metric in ("attempts", "succeeded", "failed", "waited_p95", "ran_p95")
    ),
)
"""What Overview, Queues and Jobs read again by themselves, and the navigation beside them."""


FOLLOWING = ("-- The changes after a position", "-- Changes that have been committed")
"""What statements say that read the stream of changes, on one of the stores."""


@pytest.fixture
def app(url):
    """An app with a task, whose jobs have ended."""
    made = App(url, registry=TaskRegistry())
    made.store.migrate()
    task("add", queue="sums", registry=made.registry)(lambda a=1: a)
    for number in range(3):
        made.enqueue("add", number)
    drain(made)
    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of its service."""
    with TestClient(service_of(app), client=("127.0.0.1", 50_000)) as made:
        made.base_url = "http://127.0.0.1/api/v1/"
        yield made


def asking(client, path, said=None):
    """An answer to a request that says something in its `Cache-Control`."""
    answer = client.get(path, headers={} if said is None else {"Cache-Control": said})
    assert 200 == answer.status_code, answer.text
    return answer


def ids(answer):
    """The ids of the jobs in an answer."""
    return [one["id"] for one in answer.json()["items"]]


def test_who_says_nothing_is_answered_anew(app, client):
    """Each time, whatever others have been told a moment ago."""
    asking(client, "jobs", "max-age=60")
    job = app.enqueue("add", 9)
    answer = asking(client, "jobs")

    assert job.id == ids(answer)[0]
    assert "age" not in answer.headers


@pytest.mark.parametrize(
    "said",
    [
        *("no-cache", "max-age=0", "max-stale=9", "max-age=soon"),
        *("no-cache, max-age=9", "max-age=9,no-store"),
    ],
)
def test_who_takes_no_older_answer_is_answered_anew(app, client, said):
    """Browsers say `max-age=0` when somebody reloads a page."""
    asking(client, "jobs", "max-age=60")
    job = app.enqueue("add", 9)

    assert job.id == ids(asking(client, "jobs", said))[0]


def test_an_older_answer_tells_its_age(app, client):
    """In whole seconds, and never less than it is."""
    first = asking(client, "jobs", "max-age=60")
    app.enqueue("add", 9)
    again = asking(client, "jobs", "max-age=60")

    assert first.content == again.content
    assert first.headers["content-type"] == again.headers["content-type"]
    assert "1" == again.headers["age"]


def test_an_answer_that_was_read_anew_is_shared_from_then_on(app, client):
    """So nobody is told of something older than what somebody has seen here."""
    asking(client, "jobs", "max-age=60")
    job = app.enqueue("add", 9)
    asking(client, "jobs")

    assert job.id == ids(asking(client, "jobs", "max-age=60"))[0]


def test_other_words_have_other_answers(app, client):
    """Filters, and pages."""
    everything = asking(client, "jobs", "max-age=60")

    assert [] == ids(asking(client, "jobs?state=failed", "max-age=60"))
    assert 3 == len(ids(everything))


def test_senders_of_another_role_have_answers_of_their_own(app):
    """What is masked for one of them is shown to the other."""
    app = App(app.url, registry=app.registry, mask=["a"])
    tokens = {role: app.tokens.add(f"a {role}", role).secret for role in ("viewer", "admin")}
    with TestClient(service_of(app), base_url="http://127.0.0.1/api/v1/") as client:
        [path] = [f"jobs/{job.id}" for job in app.jobs.find(limit=1)]
        shown = {}
        for role in ("admin", "viewer"):
            headers = {"Authorization": f"Bearer {tokens[role]}", "Cache-Control": "max-age=60"}
            shown[role] = client.get(path, headers=headers).json()["arguments"]
    app.close()

    assert {"a": 2} == shown["admin"]
    assert {"a": 2} != shown["viewer"]


def test_what_middleware_adds_to_an_answer_is_not_shared(app):
    """A cookie of one user, or the encoding that one client takes."""
    served = service_of(app)
    served.add_middleware(GZipMiddleware, minimum_size=1)

    @served.middleware("http")
    async def sign_in(request, call_next):
        answer = await call_next(request)
        answer.set_cookie("session", request.headers["x-user"])
        return answer

    with TestClient(served, base_url="http://127.0.0.1/api/v1/") as client:
        answers = [
            client.get("jobs", headers={"Cache-Control": "max-age=60", "X-User": user})
            for user in ("alice", "bob", "carol")
        ]

    assert 1 == len({tuple(ids(answer)) for answer in answers})
    assert [None, "1", "1"] == [answer.headers.get("age") for answer in answers]
    assert ["alice", "bob", "carol"] == [
        answer.headers["set-cookie"].split(";")[0].removeprefix("session=") for answer in answers
    ]


def test_a_problem_is_not_shared(app, client):
    """The next request asks again."""
    job = app.enqueue("add", 9)
    path = f"jobs/{job.id}/$result"
    waiting = client.get(path, headers={"Cache-Control": "max-age=60"})
    drain(app)

    assert 202 == waiting.status_code
    assert 9 == asking(client, path, "max-age=60").json()["result"]
    assert 404 == client.get("schedules/none", headers={"Cache-Control": "max-age=60"}).status_code
    app.schedules.add("none", task="add", cron="0 0 1 1 *")
    assert "none" == asking(client, "schedules/none", "max-age=60").json()["name"]


@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "busy"])
def test_however_many_consoles_look_few_statements_are_sent(app, serve, monkeypatch, is_busy):
    """They read what three screens show, more often than fifty consoles do, and hear of changes."""
    counter = StatementCounter(monkeypatch)
    served = App(app.url, registry=app.registry)
    server = serve(service_of(served))
    names = set(itertools.chain(*sent_for(server.address, counter).values()))
    changes = served.changes()
    changes.__enter__()
    over, told = threading.Event(), []
    look = partial(look_on, f"{server.address}/api/v1/", over, told)
    threads = [threading.Thread(target=look, args=[number]) for number in range(5)]
    began, before = time.monotonic(), len(counter.said)
    for thread in threads:
        thread.start()
    while time.monotonic() < began + 5:
        if is_busy:
            app.enqueue("add", 1)
        over.wait(0.05)
    said, took = counter.said[before:], time.monotonic() - began
    over.set()
    for thread in threads:
        thread.join()
    served.close()
    sent = sum(name_of(one) in names for one in said)
    followed = sum(any(words in one for words in FOLLOWING) for one in said)

    assert len(told) > 250
    assert 0 < sent <= RATE * took + 16, (sent, took, len(told))
    assert 0 < followed <= took + 2, (followed, took)


def look_on(address, over, told, number):
    """Read everything again and again, from another place on in each thread."""
    with httpx2.Client(base_url=address, headers={"Cache-Control": LIVE}) as client:
        for path in itertools.cycle(STEADY[number:] + STEADY[:number]):
            told.append(client.get(path).raise_for_status().headers.get("age"))
            if over.is_set():
                return


def sent_for(address, counter, paths=STEADY):
    """The names of the statements that each of them is answered by, when it is planned."""
    found = {}
    for path in paths:
        tries = []
        for _ in range(4):  # the service does other things beside
            before = len(counter.said)
            httpx2.get(f"{address}/api/v1/{path}").raise_for_status()
            tries.append(counter.said[before:])
        found[path] = list(map(name_of, min(tries[1:], key=len)))
    return found


def name_of(statement):
    """The words that say what a statement does."""
    return statement.strip().partition("\n")[0]


def test_each_route_says_how_many_statements_it_sends(app, serve, monkeypatch):
    """Or more: the budget counts by that."""
    counter = StatementCounter(monkeypatch)
    served = App(app.url, registry=app.registry)
    server = serve(service_of(served))
    found = sent_for(server.address, counter)
    served.close()
    routes = {"queues": queues, "workers": workers, "jobs": jobs, "failures": failures}
    routes |= {"schedules": schedules, "stats": stats, "limits": limits}
    for path, sent in found.items():
        noun = path.partition("?")[0].partition("/")[0]
        [first, *_] = getattr(routes[noun], f"make_{noun}_router")().routes
        assert 1 <= len(sent) <= first.statements, path


def test_each_route_of_a_run_says_how_many_statements_it_sends(app, serve, monkeypatch):
    """Or more: with steps that were tried again, that cancelled themselves, and that have parts."""
    add_flow(app.registry)
    run = app.enqueue("flow")
    drain(app)
    counter = StatementCounter(monkeypatch)
    served = App(app.url, registry=app.registry)
    server = serve(service_of(served))
    names = (
        "",
        "/$steps",
        "/$step?path=bad",
        "/$step?path=each",
        "/$step",
        "/$graph",
        "/$timeline",
    )
    found = sent_for(server.address, counter, ["runs", *(f"runs/{run.id}{name}" for name in names)])
    served.close()
    said = {
        route.path: route.statements for route in runs.make_runs_router().routes if reads(route)
    }
    for path, sent in found.items():
        template = f"/api/v1/{path.partition('?')[0].replace(run.id, '{run_id}')}"
        assert 1 <= len(sent) <= said[template], (path, len(sent), said)


def add_flow(registry):
    """A workflow whose steps end in several ways."""
    with wf.WorkflowBuilder("flow", registry=registry):
        wf.task(id="list")(lambda context: context.update_from_dict({"items": [1, 2]}))
        wf.task(id="each", dependencies=["list"], for_each="items")(lambda context: None)
        wf.task(id="bad", dependencies=["list"], retry_attempts=1, retry_delay_ms=0)(fail)
        wf.task(id="stops")(stop)


def fail(context):
    raise ValueError("no")


def stop(context):
    raise Cancel("not wanted")


def reads(route):
    """Whether a route reads."""
    return route.methods == {"GET"}


class Asked:
    """Requests to shared answers, at times that a test sets."""

    def __init__(self):
        self.now, self.read = 100.0, 0
        self.answers = SharedAnswers(lambda: self.now)

    async def __call__(self, wanted=None, most=None, *, cost=1, key="jobs"):
        tolerance = None if wanted is None else Tolerance(wanted, most)
        answer = await self.answers.answer(key, tolerance, self._read, None, cost)
        return int(answer.body), answer.headers.get("age")

    async def _read(self, _):
        self.read += 1
        number = self.read
        await asyncio.sleep(0)
        return JSONResponse(number)


def test_requests_at_once_wait_for_one_reading():
    """However many they are."""

    async def ask():
        asked = Asked()
        return {await one for one in asyncio.as_completed([asked(1, 9) for _ in range(50)])}

    assert {(1, None), (1, "0")} == asyncio.run(ask())


def test_an_older_answer_is_given_while_the_budget_is_spent():
    """Then it is read again, and in any case when it is older than a request takes."""

    async def ask():
        asked, told = Asked(), []
        await asked(cost=4)
        await asked(1, 9, cost=14, key="queues")  # more than the budget has
        for at in (0.5, 1.5, 4.5, 4.7, 20.0):
            asked.now = 100 + at
            told.append(await asked(1, 9))
        return told

    assert [(1, "1"), (1, "2"), (3, None), (3, "1"), (4, None)] == asyncio.run(ask())


def test_who_has_waited_longest_is_read_first():
    """Where each second more is asked for than the budget has."""

    async def ask():
        asked, ages = Asked(), []
        keys = [f"list {number}" for number in range(6)]
        for key in keys:
            await asked(1, 19, cost=2, key=key)
        for _ in range(120):
            asked.now += 1
            ages += [int((await asked(1, 19, cost=2, key=key))[1] or 0) for key in keys]
        return ages

    assert max(asyncio.run(ask())) <= 14


def test_a_request_that_takes_no_older_answer_is_read_whatever_the_budget_says():
    """The budget holds for those that can wait."""

    async def ask():
        asked = Asked()
        await asked(1, 9, cost=100)
        asked.now += 12
        return [await asked(1, 9, cost=100), await asked()]

    assert [(2, None), (3, None)] == asyncio.run(ask())


def test_a_reading_that_fails_is_no_answer():
    """Those who wait for it are told; the next one reads again."""

    class Failing(Asked):
        async def _read(self, _):
            self.read += 1
            await asyncio.sleep(0)
            raise StoreError("away")

    async def ask():
        asked = Failing()
        told = await asyncio.gather(*(asked(1, 9) for _ in range(3)), return_exceptions=True)
        again = await asyncio.gather(asked(1, 9), return_exceptions=True)
        return [str(one) for one in told + again], asked.read

    assert (["away"] * 4, 2) == asyncio.run(ask())


def test_a_client_that_goes_away_stops_no_reading_of_others():
    """The first one began it."""

    async def ask():
        asked = Asked()
        first = asyncio.create_task(asked(1, 9))
        await asyncio.sleep(0)
        second = asyncio.create_task(asked(1, 9))
        first.cancel()
        return await second

    assert (1, "0") == asyncio.run(ask())


def test_what_nobody_waits_for_any_more_is_kept_only_if_it_went_well():
    """A request that is cancelled leaves its reading behind."""

    class Failing(Asked):
        async def _read(self, _):
            self.read += 1
            await asyncio.sleep(0)
            if self.read == 1:
                raise StoreError("away")
            return JSONResponse(self.read)

    async def ask():
        asked = Failing()
        first = asyncio.create_task(asked(60, 60))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await asyncio.sleep(0)
        return (await asked(60, 60))[0]

    assert 2 == asyncio.run(ask())


def test_few_answers_are_kept():
    """The oldest are dropped first."""

    async def ask():
        asked = Asked()
        for number in range(300):
            await asked(60, 60, key=number)
        return [(await asked(60, 60, key=number))[0] for number in (299, 0)]

    assert [300, 301] == asyncio.run(ask())
