"""A cipher: nothing of arguments and results can be read in the database, and everything works."""

import copy
import os

import pytest
from cryptography.fernet import Fernet, MultiFernet

from fundamentals.ciphered_tasks import CANARY
from rotulus import task
from rotulus.errors import ConfigurationError, OptionError
from rotulus.store import Edit
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere


def test_arguments_and_results_cannot_be_read_in_the_database(open_app, cipher, stored):
    """Neither of a job that waits nor of one that ended; those who have the key read both."""
    app = open_app(cipher)
    job = app.enqueue("greet", name=CANARY)
    assert {"name": CANARY} == app.get(job.id).arguments
    assert CANARY.encode() not in stored()
    drain(app)

    assert f"hello {CANARY}" == job.result(1)
    assert b"$cipher" in stored() and CANARY.encode() not in stored()


def test_without_a_cipher_they_can_be_read(open_app, stored):
    """So the search for them finds what there is."""
    app = open_app()
    app.enqueue("greet", name=CANARY)

    assert CANARY.encode() in stored() and b"$cipher" not in stored()
    assert "Sqlite" in type(app.store).__name__ or "Postgres" in type(app.store).__name__


def test_jobs_of_before_are_read_and_run(open_app, cipher, stored):
    """A cipher may be switched on while jobs wait."""
    old = open_app()
    job = old.enqueue("greet", name="Ada")
    old.close()
    app = open_app(cipher)

    assert {"name": "Ada"} == app.get(job.id).arguments
    drain(app)
    assert "hello Ada" == app.get(job.id).result(1)
    assert b'"hello Ada"' not in stored() and b"Ada" in stored()


def test_keys_are_rotated(open_app, stored):
    """What the old key has encrypted is read as long as that is given, and what is new has the new."""
    old, new = (Fernet(Fernet.generate_key()) for _ in range(2))
    first = open_app(old)
    waiting, done = first.enqueue("greet", name="a"), first.enqueue("greet", name="b", needs=CANARY)
    assert 2 == len(first.jobs())
    first.close()
    both = open_app(MultiFernet([new, old]))
    drain(both)
    assert ["hello a", "hello b"] == [both.get(job.id).result(1) for job in (waiting, done)]
    both.close()
    only_new = open_app(new)
    job = only_new.get(waiting.id)

    assert "hello a" == job.result(1)  # written by a process that had the new key first
    assert ["$cipher"] == list(job.arguments)
    assert CANARY.encode() not in stored()


def test_a_run_keeps_its_contexts_to_itself(open_app, cipher, stored):
    """Steps hand on what nobody reads in the database; a replay does, too."""
    app = open_app(cipher)
    job = app.enqueue("flow", name=CANARY, count=1)
    drain(app)

    assert f"{CANARY}1".upper() == job.result(1)["answered"]
    assert CANARY.encode() not in stored() and CANARY.upper().encode() not in stored()
    app.runs.replay(job.id, "ask", {"name": CANARY, "count": 2})
    drain(app)
    assert f"{CANARY}2".upper() == app.get(job.id).result(1)["answered"]
    assert CANARY.encode() not in stored() and CANARY.upper().encode() not in stored()


def test_branches_and_workflows_within_keep_their_contexts_to_themselves(open_app, cipher, stored):
    """Items, results of branches, and what a workflow within hands on; replayed, too."""
    app = open_app(cipher)
    run = app.enqueue("outer", name=CANARY).id
    drain(app)
    result = app.get(run).result(1)

    assert [f"{CANARY}{n} of {CANARY}" for n in range(3)] == result["each"]
    assert f"{CANARY}!" == result["loud"]
    assert CANARY.encode() not in stored()
    app.runs.replay(run, "each/1")
    drain(app)
    assert result == app.get(run).result(1)
    assert CANARY.encode() not in stored()


def test_a_job_is_edited_once_by_those_who_saw_the_same(open_app, cipher, stored):
    """Encrypted texts of one value differ, so what was seen is compared in plain."""
    app = open_app(cipher)
    job = app.enqueue("greet", name="a")
    seen = app.store.get(job.id)
    app.jobs.edit(job.id, arguments={"name": CANARY})

    assert app.store.edit(seen, Edit("{}")) is None
    assert {"name": CANARY} == app.get(job.id).arguments
    assert CANARY.encode() not in stored()
    drain(app)
    assert f"hello {CANARY}" == app.get(job.id).result(1)


def test_a_job_that_failed_is_retried(open_app, cipher, stored):
    """With the arguments that it had."""
    app = open_app(cipher)
    job = app.enqueue("refuse", name=CANARY)
    drain(app)
    [again] = app.jobs.retry(job.id)
    drain(app)

    assert (2, {"name": CANARY}) == (app.get(job.id).attempt, again.arguments)
    assert CANARY.encode() not in stored()
    [group] = app.failures.groups()
    assert {"name": CANARY} == group.example.arguments


def test_an_isolated_task_is_given_what_was_encrypted(open_app, cipher, stored):
    """Its process needs no key: the worker has decrypted the arguments, and encrypts the result."""
    app = open_app(cipher)

    @task("isolated", registry=app.registry, isolation="process")
    def isolated(name: str) -> list:
        return [name, os.getpid()]

    job = isolated.enqueue(CANARY)
    app.run_worker(burst=True)
    name, pid = job.result(1)

    assert (CANARY, True) == (name, pid != os.getpid())
    assert CANARY.encode() not in stored()


def test_a_group_is_closed_with_the_outcomes_of_its_jobs(open_app, cipher, stored):
    """Its callback sees their arguments and results."""
    app = open_app(cipher)
    with app.group("letters", then=app.registry.get("together")) as group:
        app.using(group=group).enqueue("greet", name=CANARY)
    drain(app)

    assert [f"{CANARY} hello {CANARY}"] == app.get(group.id).result(1)
    assert CANARY.encode() not in stored()


def test_filters_that_look_into_arguments_are_refused(open_app, cipher):
    """With the reason, and what to do; other filters work."""
    app = open_app(cipher)
    job = app.using(labels={"who": "a"}).enqueue("greet", name=CANARY)

    with pytest.raises(OptionError, match=r"args\.name cannot be looked for: arguments are enc"):
        app.jobs(args={"name": CANARY})
    with pytest.raises(OptionError, match="give jobs a label"):
        app.jobs.count(args={"name": CANARY})
    assert [job.id] == [one.id for one in app.jobs(label={"who": "a"})]


def test_schedules_keep_their_arguments_encrypted(open_app, cipher, stored):
    """They are shown, fired and changed; one that cannot be read does not fire, and says why."""
    app = open_app(cipher)
    added = app.schedules.add("s", task="greet", cron="0 0 * * *", arguments={"name": CANARY})
    assert {"name": CANARY} == dict(added.schedule.arguments)
    job = app.schedules.run_now("s")
    drain(app)
    assert f"hello {CANARY}" == job.result(1)
    assert CANARY.encode() not in stored()
    app.close()
    with pytest.raises(
        ConfigurationError, match="arguments of schedule 's' cannot be read: its values are"
    ):
        open_app().schedules.run_now("s")


@pytest.mark.parametrize("with_key", [True, False])
def test_a_result_that_looks_encrypted_fails_its_job(open_app, cipher, stored, with_key):
    """It would be stored in plain, and nobody could read it: whoever chooses data decides nothing."""
    app = open_app(cipher if with_key else None)

    @task("echo", registry=app.registry)
    def echo(value: object) -> object:
        return value

    job = app.enqueue("echo", value={"$cipher": CANARY})
    fine = app.enqueue("echo", value={"$cipher": CANARY, "more": 1})
    drain(app)

    job = job.refresh()
    assert ("failed", "ResultError") == (job.state, job.error.type)
    assert "give it another name" in job.error.message
    assert {"$cipher": CANARY, "more": 1} == fine.result(1)
    if with_key:
        assert CANARY.encode() not in stored()


def test_a_class_is_no_cipher_and_a_store_with_one_is_copied(open_app, cipher):
    """`Fernet` without its key would be found out when the first job is stored."""
    with pytest.raises(OptionError, match="encrypt"):
        open_app(Fernet)
    store = open_app(cipher).store
    assert copy.copy(store).fleet() == store.fleet()
