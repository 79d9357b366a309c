"""A request waits for its job as long as it prefers, and not for a client that has left."""

import asyncio
import threading

import pytest
from starlette.requests import Request

from rotulus import task
from rotulus.service.prefer import Prefer, await_job, read_prefer


def request_of(*prefers, receive=None):
    """A request with preferences, from a client that stays."""

    async def stay():
        await asyncio.Event().wait()

    raw = [(b"prefer", value.encode()) for value in prefers]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive or stay)


@pytest.mark.parametrize(
    ("sent", "prefer", "applied"),
    [
        ([], Prefer(), None),
        (["wait=10"], Prefer(10.0), "wait=10"),
        (["Wait = 10"], Prefer(10.0), "wait=10"),
        (['wait="10"'], Prefer(10.0), "wait=10"),
        (["wait=3600"], Prefer(60.0), "wait=60"),
        (["wait=" + "9" * 500], Prefer(60.0), "wait=60"),
        (["wait=0"], Prefer(0.0), "wait=0"),
        (["wait=5, wait=9"], Prefer(5.0), "wait=5"),
        (["respond-async"], Prefer(None, respond_async=True), "respond-async"),
        (["respond-async, wait=5"], Prefer(5.0, respond_async=True), "respond-async, wait=5"),
        (["respond-async", "wait=5"], Prefer(5.0, respond_async=True), "respond-async, wait=5"),
        (["return=minimal; x=y, wait=5;z"], Prefer(5.0), "wait=5"),
        (["wait=-1"], Prefer(), None),
        (["wait=1.5"], Prefer(), None),
        (["wait=x"], Prefer(), None),
        (["wait"], Prefer(), None),
        (["nowait=5"], Prefer(), None),
        ([',,;="'], Prefer(), None),
    ],
)
def test_preferences_are_read_and_what_nobody_understands_is_left_out(sent, prefer, applied):
    """As RFC 7240 has it, and the answer says which have been applied."""
    found = read_prefer(request_of(*sent))

    assert prefer == found
    assert applied == found.headers.get("Preference-Applied")


def test_no_header_takes_long():
    """However it was made up."""
    for unit in ("wait=", ",", ";", '"', "a;", "a=", " ", "-"):
        read_prefer(request_of(unit * (16_384 // len(unit))))


@pytest.fixture
def job(app):
    """A job that has not begun."""
    return task(name="add", registry=app.registry)(lambda a=1: a + 1).enqueue()


def work(app):
    """Run what is there, in another thread."""
    thread = threading.Thread(target=app.run_worker, kwargs={"burst": True})
    thread.start()
    return thread


def test_a_job_that_ends_in_time_is_given_ended(app, job):
    """Before the time is over."""
    thread = work(app)
    found = asyncio.run(await_job(job, 30.0, request_of()))
    thread.join()

    assert ("succeeded", 2) == (found.state, found.result())


@pytest.mark.parametrize("seconds", [None, 0.0, 0.05])
def test_a_job_that_does_not_end_is_given_as_it_stands(job, seconds):
    """When the time is over, or there is none; nobody warns, as nobody blocks."""
    found = asyncio.run(await_job(job, seconds, request_of()))

    assert "queued" == found.state


def test_nobody_waits_for_a_client_that_left(job):
    """It stops at once, and no coroutine is left behind."""

    async def leave_while_it_waits():
        gone = asyncio.Event()

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        waiting = asyncio.ensure_future(await_job(job, 60.0, request_of(receive=receive)))
        asyncio.get_running_loop().call_later(0.05, gone.set)
        found = await asyncio.wait_for(waiting, 5)
        return found, len(asyncio.all_tasks())

    found, left = asyncio.run(leave_while_it_waits())
    assert ("queued", 1) == (found.state, left)


def test_a_wait_that_is_cancelled_leaves_nothing_behind(job):
    """As when the server stops."""

    async def cancel_while_it_waits():
        waiting = asyncio.ensure_future(await_job(job, 60.0, request_of()))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        return waiting.cancelled(), len(asyncio.all_tasks())

    assert (True, 1) == asyncio.run(cancel_while_it_waits())
