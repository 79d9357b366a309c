"""Processes killed between a commit and its message: no message is lost, and none without a job."""

import signal
import sqlite3
from contextlib import closing

import psycopg
import pytest

from crash.stores import on_both
from rotulus import Published, task
from rotulus.events import JobsPublished

PROGRAM = """pass
import os, signal, sqlite3

class Carrier:
    queue = "_out"
    def carries(self, name):
        return name == "work"
    def publish(self, jobs):
        {publishing}

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def connect(url):
    if url.startswith("sqlite"):
        return sqlite3.connect("jobs.db")
    import psycopg
    return psycopg.connect(url)

app.carry(Carrier())
{enqueueing}
"""

ENQUEUE = "app.enqueue('work', number=1, seconds=0)"
IN_OWN = (
    "con = connect(os.environ['FACTORY_URL'])\n"
    "app.using(connection=con).enqueue('work', number=1, seconds=0)\n"
)


class Carrier:
    """Keeps the messages that it is given."""

    queue = "_out"

    def __init__(self):
        self.sent = []

    def carries(self, task_name):
        return task_name == "work"

    def publish(self, jobs):
        self.sent += [job.id for job in jobs]
        return Published([job.id for job in jobs])


def killed(factory, publishing, enqueueing):
    """Run a program that kills itself; what it has printed."""
    code = PROGRAM.format(publishing=publishing, enqueueing=enqueueing)
    program = factory.run(code, stdout=-1, stderr=-1, text=True)
    told, problem = program.communicate(timeout=60)
    assert -signal.SIGKILL == program.returncode, problem
    return told.split()


def know_the_task(factory):
    """Messages are published where their tasks are known."""
    task("work", registry=factory.app.registry)(lambda number, seconds: None)


def after_the_lease(factory):
    """As if the time had passed for which what was taken is nobody else's."""
    statement = "UPDATE rotulus_outbox SET due_at = due_at - 31000000"
    if factory.url.startswith("sqlite"):
        with closing(sqlite3.connect(factory.folder / "jobs.db")) as connection:
            connection.execute(statement)
            connection.commit()
    else:
        with psycopg.connect(factory.url) as connection:
            connection.execute(statement)


@on_both
@pytest.mark.parametrize(
    ("publishing", "enqueueing", "leased"),
    [
        ("die()", ENQUEUE, True),
        ("print(*[job.id for job in jobs], flush=True); die()", ENQUEUE, True),
        ("raise OSError", f"{IN_OWN}con.commit()\ndie()", False),
    ],
    ids=["before publishing", "after publishing", "after a commit of its own"],
)
def test_a_process_killed_after_its_commit_loses_no_message(
    factory, publishing, enqueueing, leased
):
    """It is published by another one; if it was out already, it is out twice, and the job runs once."""
    told = killed(factory, publishing, enqueueing)
    [job] = factory.app.jobs(task="work")
    assert told in ([], [job.id])
    carrier = Carrier()
    know_the_task(factory)
    factory.app.carry(carrier)
    if leased:
        assert 0 == factory.app.relay()
        after_the_lease(factory)
    heard = []
    factory.app.events.subscribe(heard.append, JobsPublished)

    assert 1 == factory.app.tick().published
    assert [job.id] == carrier.sent == [one.id for event in heard for one in event.jobs]
    assert 0 == factory.app.relay()


@on_both
def test_a_process_killed_before_its_commit_leaves_neither_job_nor_message(factory):
    """Both belong to its transaction."""
    factory.app.store.migrate()
    killed(factory, "raise OSError", f"{IN_OWN}die()")
    factory.app.carry(Carrier())

    assert [] == factory.app.jobs()
    assert 0 == factory.app.relay()
