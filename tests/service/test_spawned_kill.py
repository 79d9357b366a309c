"""Spawned jobs under SIGKILL: none stays pending or running, and nobody else disturbs live ones."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from rotulus import App, State, TaskRegistry
from rotulus.service import JobScheduler
from rotulus.testing import drain

PROGRAM = """
    import asyncio, sys
    from rotulus import App, TaskRegistry
    from rotulus.service import JobScheduler

    async def main():
        app = App(sys.argv[1], registry=TaskRegistry(), lease=3)
        scheduler = JobScheduler(1, app=app)
        begun = asyncio.Event()

        async def work():
            begun.set()
            await asyncio.sleep(600)

        ids = [await scheduler.spawn(work()) for _ in range(4)]
        await begun.wait()
        while "running" != await scheduler.get_status(ids[0]):
            await asyncio.sleep(0.01)
        print(*ids, flush=True)
        await asyncio.sleep(600)

    asyncio.run(main())
"""


@pytest.fixture
def app(shared_url):
    """An app whose store other processes see."""
    made = App(shared_url, registry=TaskRegistry(), lease=3)
    made.store.migrate()
    yield made
    made.close()


@pytest.fixture
def child(app):
    """A process with one spawned job that runs and three that wait; and their ids."""
    program = [sys.executable, "-c", textwrap.dedent(PROGRAM), app.url]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    yield process, process.stdout.readline().split()
    process.kill()
    process.wait()
    process.stdout.close()


async def until(holds, seconds=60):
    """Wait for something that others bring about."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.05)


def states(app, ids):
    """How jobs stand."""
    return [str(app.get(job_id).state) for job_id in ids]


def test_what_a_killed_process_had_spawned_ends_as_lost(app, child, monkeypatch):
    """What ran, and what waited: another scheduler on the store says so of each."""
    monkeypatch.setattr("rotulus.service.background_worker.LOOK_EVERY", 0.5)
    process, ids = child
    assert ["running"] + ["queued"] * 3 == states(app, ids)

    async def body():
        scheduler = JobScheduler(app=app)
        await scheduler.start()
        assert ["running"] + ["queued"] * 3 == states(app, ids)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        await until(lambda: states(app, ids) == ["failed"] * 4)
        for job_id in ids:
            record = await scheduler.get_record(job_id)
            assert "failed" == record.status
            assert record.error.startswith("JobLostError: the process that was to run it")
        await scheduler.close()

    asyncio.run(body())
    assert 0 == app.jobs.count(state=[state for state in State if not state.ended])


def test_an_ordinary_worker_leaves_live_spawned_jobs_alone(app, child):
    """Though it serves all queues, and gives up at once what it does not know."""
    process, ids = child
    worker = App(app.url, registry=TaskRegistry(), unknown_grace=0)
    unknown = worker.using().enqueue("nobody.knows")
    drain(worker)
    command = [sys.executable, "-m", "rotulus", "worker", "--burst", "empty:app"]
    with open("empty.py", "w", encoding="utf-8") as module:
        module.write(
            f"from rotulus import App, task\ntask('other')(print)\n"
            f"app = App({app.url!r}, unknown_grace=0)\n"
        )
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert 0 == done.returncode, done.stderr
    assert "dead" == app.get(unknown.id).state
    assert ["running"] + ["queued"] * 3 == states(app, ids)
    assert process.poll() is None
    worker.close()


def test_a_live_scheduler_leaves_the_jobs_of_another_alone(app, child):
    """It looks for those whose queue nobody serves, and this one is served."""
    _, ids = child

    async def body():
        scheduler = JobScheduler(app=app)
        await scheduler.start()
        background = scheduler._worker
        for _ in range(3):
            await asyncio.to_thread(background.look)
        assert ["running"] + ["queued"] * 3 == states(app, ids)
        await scheduler.close()

    asyncio.run(body())
