"""Requests that do their worst: each is answered, soon, and nothing is left behind."""

import asyncio
import gc

import pytest

from service.asking import ask, complaint
from service.malformed import Malformed, Sent
from service.rich import rich_app, rich_service

pytestmark = pytest.mark.anywhere

REQUESTS = 3_000


def get(path, query=b""):
    """A request that fits."""
    return Sent("GET", path, query, [(b"host", b"testserver")], b"")


def post(path, body):
    """Another one, with a body."""
    headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
    return Sent("POST", path, b"", headers, body)


async def furnish(app, service):
    """Jobs and artifacts, so that there is something to be found: their ids, and cursors."""
    jobs, artifacts = [], []
    for _ in range(5):
        stored = await ask(service, post(b"/api/v1/tasks/add/$enqueue", b'{"params": {"a": 1}}'))
        saved = await ask(service, post(b"/api/v1/artifacts", b'{"data": [1]}'))
        jobs.append(stored.told["id"])
        artifacts.append(saved.told["id"])
    pages = [
        await ask(service, get(b"/api/v1/" + kind, b"limit=2")) for kind in (b"jobs", b"artifacts")
    ]
    return jobs, artifacts, [page.told["next"] for page in pages]


async def check_usual(service):
    """A service answers what fits, as if nothing had happened."""
    ran = await ask(service, post(b"/api/v1/tasks/add/$execute", b'{"params": {"a": 1}}'))
    assert (200, 2, None) == (ran.status, ran.told["result"], ran.told["error"])
    for path in (b"/api/v1/jobs", b"/api/v1/artifacts", b"/health", b"/metrics", b"/openapi.json"):
        found = await ask(service, get(path))
        assert (200, None) == (found.status, complaint(found))


async def attack(app, random):
    """Ask a service for thousands of things; the answers that are wrong, and what is left over."""
    service, wrong = rich_service(app), []
    async with service.router.lifespan_context(service):
        known = await furnish(app, service)
        await check_usual(service)
        before = asyncio.all_tasks()
        malformed = Malformed(random, *known)
        for _ in range(REQUESTS):
            sent = malformed.draw()
            answer = await ask(service, sent)
            told = complaint(answer, sent.method, sent.path)
            if told:
                wrong.append((told, answer.status, answer.body[:500], sent))
        await check_usual(service)
        left = asyncio.all_tasks() - before
        used = service.state.rotulus.database.engine.pool.checkedout()
    return wrong, left, used


def show(wrong):
    """The first answers that are wrong, to be read."""
    return "\n".join(f"{told} {status} {body}\n   {sent}" for told, status, body, sent in wrong[:8])


@pytest.mark.parametrize("kind", ["file", "postgres"])
def test_no_request_does_harm(make_url, kind, stress_random):
    """Each of 3,000 is answered by a problem or an envelope; no task or connection is left."""
    app = rich_app(make_url(kind))
    try:
        wrong, left, used = asyncio.run(attack(app, stress_random))
    finally:
        app.close()
    gc.collect()

    assert not wrong, f"{len(wrong)} answers:\n{show(wrong)}"
    assert (set(), 0) == (left, used)
