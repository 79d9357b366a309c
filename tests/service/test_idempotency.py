"""A request that is made again gives the job it gave before, whoever answers it."""

import asyncio
import threading

import pytest
from starlette.requests import Request

from rotulus import App, TaskRegistry, task
from rotulus.errors import ArgumentsError, OptionError, TaskNotFoundError
from rotulus.service import ProblemError
from rotulus.service.idempotency import enqueue_once, read_idempotency_key, scope_of
from rotulus.service.principal import Principal, admit
from rotulus.testing import drain


@pytest.fixture
def make_app(url):
    """Makes apps on that place with the same tasks, as processes of one service would have."""
    apps = []

    def make():
        registry = TaskRegistry()

        @task(name="add", registry=registry)
        def add(a: int, b: int = 0) -> int:
            return a + b

        @task(name="keyed", key="keyed:{a}", registry=registry)
        def keyed(a: int, b: int = 0) -> int:
            return a + b

        apps.append(App(url, registry=registry))
        return apps[-1]

    yield make
    for app in apps:
        app.close()


def once(app, name="add", arguments=None, options=None, key="k", scope="ada"):
    """Enqueue as one request would."""
    arguments = {"a": 1} if arguments is None else arguments
    return asyncio.run(enqueue_once(app, name, arguments, options or {}, key, scope))


def request_of(*headers, **state):
    """A request with headers."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return Request({"type": "http", "method": "POST", "headers": raw, "state": state})


def test_fifty_equal_requests_give_one_job(make_app):
    """Made at one moment, in many threads, to five apps: each gives the same id, one adds it."""
    apps = [make_app() for _ in range(5)]
    start, got = threading.Barrier(50), []

    def ask(app):
        start.wait()
        got.append(once(app))

    threads = [threading.Thread(target=ask, args=(apps[n % 5],)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 50 == len(got)
    assert 1 == len({job.id for job, _ in got})
    assert [False] == [replayed for _, replayed in got if not replayed]
    assert 1 == len(apps[0].jobs.find())


def test_a_key_is_remembered_when_its_job_has_ended(make_app):
    """And the payload is compared as what it says: order, defaults and forms do not matter."""
    app = make_app()
    job, replayed = once(app, arguments={"a": 1, "b": 2})
    drain(app)
    again, replayed_again = once(app, arguments={"b": "2", "a": 1})

    assert (False, True) == (replayed, replayed_again)
    assert again.id == job.id
    assert again.state.ended


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ({"a": 2}, {}),
        ({"a": 1, "b": 1}, {}),
        ({"a": 1}, {"queue": "q"}),
        ({"a": 1}, {"priority": 5}),
    ],
)
def test_another_payload_is_refused(make_app, arguments, options):
    """Other arguments, or to be delivered otherwise; and nothing is added."""
    app = make_app()
    once(app)
    with pytest.raises(ProblemError) as caught:
        once(app, arguments=arguments, options=options)

    assert (422, "idempotency_key_reused") == (caught.value.status, caught.value.code)
    assert 1 == len(app.jobs.find())


def test_a_key_counts_for_one_task_of_one_caller(make_app):
    """The same key of somebody else, and for something else, is another one."""
    app = make_app()
    jobs = [once(app), once(app, scope="bob"), once(app, key="l"), once(app, "keyed")]

    assert 4 == len({job.id for job, _ in jobs})
    assert {False} == {replayed for _, replayed in jobs}


def test_a_task_with_a_key_of_its_own_keeps_it(make_app):
    """What it says is unique stays unique, whatever is sent."""
    app = make_app()
    first, _ = once(app, "keyed")
    second, replayed = once(app, "keyed", key="another")

    assert first.id == second.id
    assert replayed
    assert "keyed:1" == first.key


def test_what_cannot_be_enqueued_takes_no_key(make_app):
    """The next request with that key is the first."""
    app = make_app()
    with pytest.raises(ArgumentsError):
        once(app, arguments={"a": "x"})
    with pytest.raises(TaskNotFoundError):
        once(app, "nothing")
    with pytest.raises(OptionError, match="not both"):
        once(app, options={"key": "mine"})

    assert (False, 1) == (once(app)[1], len(app.jobs.find()))


def test_the_key_in_the_store_tells_nothing_and_fits(make_app):
    """Neither what the client sent nor who it is, however long they are."""
    app = make_app()
    job, _ = once(app, key="k" * 255, scope="Bearer s3cret" * 100)

    assert job.key.startswith("idempotency:add:")
    assert "s3cret" not in job.key


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ('"8e03978e-40d5"', "8e03978e-40d5"),
        ("8e03978e-40d5", "8e03978e-40d5"),
        (' "a b" ', "a b"),
        (r'"a\"b\\c"', 'a"b\\c'),
        ('"' + "k" * 255 + '"', "k" * 255),
        ("k" * 255, "k" * 255),
    ],
)
def test_a_key_may_be_quoted_or_bare(sent, key):
    """As the draft has it, and as most clients send it."""
    assert key == read_idempotency_key(request_of(("idempotency-key", sent)))


@pytest.mark.parametrize(
    "sent",
    [
        "",
        " ",
        '""',
        '"a',
        'a"',
        "a b",
        "a,b",
        '"a";b=1',
        '"a", "b"',
        "k" * 256,
        "ü",
        '"\t"',
        r'"\a"',
    ],
)
def test_what_is_no_key_is_refused(sent):
    """Rather than taken for another one."""
    with pytest.raises(ProblemError) as caught:
        read_idempotency_key(request_of(("idempotency-key", sent)))

    assert (400, "invalid_idempotency_key") == (caught.value.status, caught.value.code)


def test_there_is_one_key_or_none():
    """Two of them are no key."""
    assert read_idempotency_key(request_of()) is None
    with pytest.raises(ProblemError):
        read_idempotency_key(request_of(("idempotency-key", "a"), ("idempotency-key", "a")))


def test_a_sender_is_the_name_of_its_principal():
    """Whatever token of that name it has; one that is let in without a name is several people."""
    headers = [("authorization", "Bearer a")], [("authorization", "Bearer b")]
    scopes = {}
    for name in ("ci", "cd", "local", "dependency", "anybody"):
        for number, one in enumerate(headers):
            request = request_of(*one)
            admit(request.scope, Principal(name, "operator"))
            scopes[name, number] = scope_of(request)

    for name in ("ci", "cd", "local", "dependency", "anybody"):
        known = name not in ("dependency", "anybody")
        assert (scopes[name, 0] == scopes[name, 1]) is known
    assert 3 == len({scopes[name, 0] for name in ("ci", "cd", "dependency")})


def test_who_asks_is_told_apart():
    """By what a dependency of the user's has found out, else by what the request shows."""
    known = [("authorization", "Bearer a")], [("authorization", "Bearer b")], [("cookie", "a")], []
    shown = [scope_of(request_of(*headers)) for headers in known]
    ada = [scope_of(request_of(*headers, principal="ada")) for headers in known]

    assert 4 == len(set(shown))
    assert 1 == len({*ada})
    assert not {*ada} & {*shown}


def test_a_job_says_whether_it_was_there(make_app):
    """That is, whether its key was held; one that is read was there anyway."""
    app = make_app()
    add = app.registry.get("add")
    first, second = add.using(key="x").enqueue(1), add.using(key="x").enqueue(1)
    other = asyncio.run(add.using(key="x", queue="q").aenqueue(1))

    assert (False, True, True) == (first.existed, second.existed, other.existed)
    assert (True, True, False) == (first.as_asked, second.as_asked, other.as_asked)
