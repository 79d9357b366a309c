"""Django's tasks on `DatabaseBackend`: enqueued in the transaction that is open, run by workers."""

import asyncio
import threading
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

import django_examples as tasks
from django_project import database as database_as
from django_project import postgres_settings, sqlite_settings
from rotulus import ArgumentsError
from rotulus._tasks.options import TaskOptions
from rotulus.django import app_of
from rotulus.django.compat import (
    LOGGER,
    InvalidTask,
    InvalidTaskBackend,
    Task,
    TaskResultDoesNotExist,
    TaskResultMismatch,
    TaskResultStatus,
    task_backends,
    task_enqueued,
    task_finished,
    task_started,
)
from rotulus.django.models import TaskExecution
from rotulus.django.tasks import RotulusTask
from rotulus.errors import ConfigurationError, SchemaError
from rotulus.store import ClaimFilter
from rotulus.testing import drain

KEY = UUID("0198f000-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def ran():
    """What tasks of the test have taken note of."""
    tasks.RAN.clear()
    return tasks.RAN


def test_a_task_that_is_enqueued_is_run_by_a_worker(jobs, worker):
    """What it returned is in its result, once that is refreshed."""
    result = tasks.add.enqueue(1, b=5)

    assert TaskResultStatus.READY == result.status
    assert ([1], {"b": 5}) == (result.args, result.kwargs)
    assert (None, None, []) == (result.started_at, result.finished_at, result.worker_ids)
    assert abs(timezone.now() - result.enqueued_at) < timedelta(seconds=30)
    with pytest.raises(ValueError, match="not finished"):
        _ = result.return_value

    [ended] = drain(worker)
    result.refresh()

    assert result.id == ended.id
    assert (TaskResultStatus.SUCCESSFUL, 6) == (result.status, result.return_value)
    assert [ended.worker] == result.worker_ids
    assert result.enqueued_at <= result.started_at <= result.finished_at
    assert result.last_attempted_at == result.started_at
    assert [] == result.errors


def test_an_enqueue_in_a_block_that_is_rolled_back_never_was(jobs, worker):
    """Nor one in an inner block; that of the outer one stays."""
    with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
        tasks.note.enqueue("gone")
        1 / 0
    with transaction.atomic(using="jobs"):
        with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
            tasks.note.enqueue("gone, too")
            1 / 0
        tasks.note.enqueue("kept")

    assert 1 == len(drain(worker))
    assert [(["kept"], {})] == tasks.RAN


def test_an_enqueue_in_a_block_is_seen_by_others_after_the_commit(jobs, worker):
    """And by the block itself at once."""
    with transaction.atomic(using="jobs"):
        result = tasks.add.enqueue(a=1)
        assert result == tasks.add.get_result(result.id)
        assert worker.store.get(result.id) is None

    assert worker.store.get(result.id) is not None


def test_a_job_is_moved_in_a_block_and_only_if_that_is_committed(jobs, worker):
    """On Django's connection, as on one of its own."""
    soon = jobs.using(unchecked=True, key="page:7", debounce=30)
    first = soon.enqueue("build", text="a")
    with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
        assert {"text": "b"} == soon.enqueue("build", text="b").arguments
        1 / 0
    assert {"text": "a"} == worker.get(first.id).arguments
    with transaction.atomic(using="jobs"):
        moved = soon.enqueue("build", text="c")

    assert moved == first
    assert {"text": "c"} == worker.get(first.id).arguments
    assert moved.run_at == worker.get(first.id).run_at > first.run_at


def test_an_enqueue_outside_of_a_block_is_committed_when_it_returns(jobs, worker):
    """Another connection sees it."""
    result = tasks.add.enqueue(1)

    assert worker.store.get(result.id) is not None


def test_a_block_of_another_database_does_not_concern_it(jobs, worker, tmp_path):
    """It belongs to the database that its jobs live in."""
    with (
        database_as("other", sqlite_settings(tmp_path / "other.db")),
        pytest.raises(ZeroDivisionError),
        transaction.atomic(using="other"),
    ):
        result = tasks.add.enqueue(1)
        1 / 0

    assert worker.store.get(result.id) is not None


def test_what_an_enqueue_asks_of_the_database_is_seen_by_django(jobs):
    """In a block it is one statement on a server; in a file, and with a key, it has a savepoint."""
    connection = connections["jobs"]
    with transaction.atomic(using="jobs"), CaptureQueriesContext(connection) as asked:
        tasks.add.enqueue(1)
    with transaction.atomic(using="jobs"), CaptureQueriesContext(connection) as asked_with_key:
        tasks.only.enqueue(1)

    kinds = ["savepoint" if "SAVEPOINT" in query["sql"] else "statement" for query in asked]
    in_file = ["savepoint", *["statement"] * 3, "savepoint"]  # add, how many were new, count
    assert kinds == (["statement"] if connection.vendor == "postgresql" else in_file)
    assert any("INSERT INTO rotulus_jobs" in query["sql"] for query in asked)
    assert "SAVEPOINT" in asked_with_key[0]["sql"]


def test_an_idle_worker_is_woken_by_the_commit(jobs, worker):
    """Not before it, and not much later."""
    store, answers = worker.store, []
    store.wait(ClaimFilter("w"), 0.01)  # it listens from now on
    with transaction.atomic(using="jobs"):
        tasks.add.enqueue(1)
        waiting = threading.Thread(
            target=lambda: answers.append(store.wait(ClaimFilter("w"), 20.0)), daemon=True
        )
        waiting.start()
        assert not store.wait(ClaimFilter("w"), 0.2)
        assert [] == answers
    before = timezone.now()
    waiting.join(20)

    assert [True] == answers
    assert timezone.now() - before < timedelta(seconds=2)


def test_coroutines_enqueue_and_ask(jobs, worker):
    """With the forms that begin with an a."""

    async def main():
        result = await tasks.add_later.aenqueue(a=1, b=2)
        await asyncio.to_thread(drain, worker)
        await result.arefresh()
        assert result == await tasks.add_later.aget_result(result.id)
        return result

    assert 3 == asyncio.run(main()).return_value


def test_the_highest_priority_is_first_and_what_is_to_be_run_later_last(jobs, worker):
    """Priorities are Django's, from -100 to 100."""
    tasks.note.using(priority=-100).enqueue("low")
    tasks.note.enqueue("middle")
    tasks.note.using(priority=100).enqueue("high")
    later = timezone.now() + timedelta(hours=1)
    waits = tasks.note.using(run_after=later).enqueue("later")

    drain(worker, slots=1)

    assert ["high", "middle", "low"] == [args[0] for args, _ in tasks.RAN]
    assert later == waits.task.run_after
    assert waits == tasks.note.get_result(waits.id)
    assert TaskResultStatus.READY == waits.status


def test_a_queue_is_a_queue(jobs):
    """Its name is that of the job's."""
    result = tasks.add.using(queue_name="mail").enqueue(1)

    assert "mail" == jobs.get(result.id).queue
    assert "mail" == tasks.add.get_result(result.id).task.queue_name


def test_between_two_attempts_a_task_is_ready_and_has_errors(jobs, worker):
    """Never failed and then running again."""
    result = tasks.fail.enqueue("no such thing")
    drain(worker)
    result.refresh()

    assert TaskResultStatus.READY == result.status
    [error] = result.errors
    assert LookupError is error.exception_class
    assert "no such thing" in error.traceback
    assert (1, None) == (result.attempts, result.finished_at)

    jobs.jobs.cancel(result.id)
    result.refresh()

    assert TaskResultStatus.FAILED == result.status
    assert (1, 1) == (len(result.errors), result.attempts)
    with pytest.raises(ValueError, match="Task failed"):
        _ = result.return_value


def test_types_of_arguments_go_through_and_texts_are_plain(jobs, worker):
    """Decimals, dates and ids by their annotation; lazily translated and safe texts as text."""
    result = tasks.convert.enqueue(
        Decimal("1.10"), date(2026, 1, 2), KEY, name=gettext_lazy("January")
    )
    tasks.note.enqueue([mark_safe("<b>")], inner={"lazy": gettext_lazy("May")})
    drain(worker, slots=1)
    result.refresh()

    assert ["1.10", "2026-01-02", str(KEY)] == result.args
    assert {"name": "January"} == result.kwargs
    assert ["Decimal", "date", "UUID", "str"] == result.return_value
    assert [([["<b>"]], {"inner": {"lazy": "May"}})] == tasks.RAN


def test_a_result_that_is_read_has_arguments_by_their_names(jobs):
    """Those of one that an enqueue gives are as they were given."""
    result = tasks.add.enqueue(1, b=2)

    assert ([1], {"b": 2}) == (result.args, result.kwargs)
    read = tasks.add.get_result(result.id)
    assert ([], {"a": 1, "b": 2}) == (read.args, read.kwargs)
    further = tasks.note.enqueue(1, b=2)
    assert further == tasks.note.get_result(further.id)


@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: [it], lambda it: {"user": it}])
def test_a_model_instance_is_refused(jobs, wrap):
    """Wherever it is, with what to do."""
    with pytest.raises(ArgumentsError, match="pass its primary key"):
        tasks.note.enqueue(wrap(User(pk=7)))

    assert [] == jobs.jobs.find()


def test_a_call_that_does_not_fit_is_refused_where_it_is_made(jobs):
    """With what is wrong, and where the task stands."""
    with pytest.raises(ArgumentsError, match=r"unknown argument 'c'.*django_examples.py"):
        tasks.add.enqueue(1, c=3)
    with pytest.raises(TypeError):
        tasks.note.enqueue(object())

    assert [] == jobs.jobs.find()


def test_a_task_that_takes_its_context_is_told_which_attempt_it_is(jobs, worker):
    """And has the errors of those before."""
    once = tasks.tell.enqueue(0)
    drain(worker)
    once.refresh()

    assert {"attempt": 1, "id": once.id, "errors": 0} == once.return_value


def test_the_context_of_a_further_attempt_has_the_earlier_ones(jobs, worker):
    """It is a coroutine's, too."""
    first = tasks.tell.enqueue(1)
    later = tasks.tell_later.enqueue(times=4)
    drain(worker)
    jobs.jobs.cancel(first.id)
    jobs.jobs.retry(first.id)
    drain(worker)
    for result in (first, later):
        result.refresh()

    assert {"attempt": 2, "id": first.id, "errors": 1} == first.return_value
    assert 5 == later.return_value


def test_a_key_has_one_live_job(jobs):
    """A further enqueue gives the result of the one that is there."""
    first, second = tasks.only.enqueue(1), tasks.only.enqueue(number=1)

    assert first.id == second.id != tasks.only.enqueue(2).id


def test_a_group_of_tasks_has_one_callback(jobs, worker):
    """In the block that is open: a group that is rolled back never was."""
    with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
        with jobs.group("sums", then=tasks.total) as group:
            tasks.add.using(group=group).enqueue(1, 1)
        raise ZeroDivisionError
    with transaction.atomic(using="jobs"), jobs.group("sums", then=tasks.total) as group:
        first = tasks.add.using(group=group).enqueue(1, 1)
        tasks.add.using(group=group, priority=7).enqueue(2)
        tasks.add.using(group=group, run_after=timezone.now()).enqueue(3, b=3)
    assert (TaskResultStatus.READY, [1, 1]) == (first.status, first.args)
    drain(worker)

    assert 2 + 4 + 6 == tasks.total.get_result(group.id).return_value
    assert [0, 7, 0, 0] == [job.priority for job in jobs.jobs(run=group.id)]


def test_a_task_of_another_backend_may_be_told_to_use_this_one(jobs, worker):
    """A worker that starts then knows it."""
    result = tasks.elsewhere.using(backend="default").enqueue(3)

    assert "default" == result.task.backend
    assert jobs.registry.has("django_examples.elsewhere")


def test_a_result_that_does_not_exist_says_so(jobs):
    """Also one of a task that is not Django's, and one of another task."""
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result(str(KEY))
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result("nonsense")
    other = jobs.using(unchecked=True).enqueue("other.task")
    with pytest.raises(TaskResultDoesNotExist, match="no task of Django"):
        tasks.add.get_result(other.id)
    with pytest.raises(TaskResultMismatch):
        tasks.add.get_result(tasks.note.enqueue().id)


def test_the_signal_of_an_enqueue_has_its_result(jobs):
    """Sent by the class of the backend, as by Django's own."""
    told = []

    def note(sender, task_result, **_):
        told.append((sender, task_result.id))

    task_enqueued.connect(note)
    try:
        result = tasks.add.enqueue(1)
    finally:
        task_enqueued.disconnect(note)

    assert [(type(task_backends["default"]), result.id)] == told


def test_signals_tell_of_attempts_and_of_the_end(jobs, worker):
    """Their receivers may use the ORM; one that raises disturbs nobody."""
    told = []

    def note(signal, task_result, **_):
        kept = TaskExecution.objects.using("jobs").filter(id=task_result.id).exists()
        told.append((signal, task_result.id, task_result.status, task_result.attempts, kept))
        raise RuntimeError

    task_started.connect(note)
    task_finished.connect(note)
    try:
        result = tasks.add.enqueue(1)
        failing = tasks.give_up.enqueue()
        drain(worker, slots=1)
    finally:
        task_started.disconnect(note)
        task_finished.disconnect(note)

    assert [
        (task_started, result.id, TaskResultStatus.RUNNING, 1, True),
        (task_finished, result.id, TaskResultStatus.SUCCESSFUL, 1, True),
        (task_started, failing.id, TaskResultStatus.RUNNING, 1, True),
        (task_finished, failing.id, TaskResultStatus.FAILED, 1, True),
    ] == sorted(told, key=lambda one: one[1] == failing.id)


def test_a_report_of_an_error_has_the_error(jobs, worker, caplog):
    """Django's own line about the end of a task shows what was raised."""
    tasks.give_up.enqueue()
    with caplog.at_level("INFO", LOGGER.name):
        drain(worker)

    [line] = [line for line in caplog.records if line.name == LOGGER.name and line.exc_info]
    assert LookupError is line.exc_info[0]


def test_what_a_backend_supports_is_true(jobs):
    """All of it."""
    backend = task_backends["default"]
    supports = [name for name in dir(backend) if name.startswith("supports_")]

    assert 4 == len(supports)
    assert all(getattr(backend, name) for name in supports)


def test_a_database_without_tables_says_how_to_make_them(tmp_path):
    """With Django's command."""
    with database_as("jobs", sqlite_settings(tmp_path / "empty.db")):
        with pytest.raises(SchemaError, match="manage.py migrate --database jobs"):
            tasks.add.enqueue(1)
        with pytest.raises(SchemaError, match="manage.py migrate --database jobs"):
            app_of("jobs").__enter__()


def test_other_databases_are_refused_with_what_to_do():
    """There is no store for them."""
    with (
        database_as("jobs", {"ENGINE": "django.db.backends.dummy"}),
        pytest.raises(ConfigurationError, match="add one of these to settings.DATABASES"),
    ):
        _ = app_of("jobs").store
    with pytest.raises(ConfigurationError, match="no database 'jbos'"):
        app_of("jbos")


def test_an_option_that_there_is_not_is_told_by_the_check():
    """With the nearest one that there is; a module that declares tasks can be imported."""
    from rotulus.django import DatabaseBackend

    backend = DatabaseBackend("default", {"OPTIONS": {"databse": "jobs"}})
    [problem] = backend.check()

    assert "rotulus.E012" == problem.id
    assert "TASKS['default']['OPTIONS'] has no 'databse'; did you mean 'database'?" == problem.msg
    assert "There are: cipher, database." == problem.hint


@pytest.mark.parametrize(
    ("given", "database", "warned"),
    [
        ({}, "default", False),
        ({"ENQUEUE_ON_COMMIT": None}, "jobs", False),
        ({"ENQUEUE_ON_COMMIT": True}, "default", False),  # as it is
        ({"ENQUEUE_ON_COMMIT": False}, "default", True),
        ({"ENQUEUE_ON_COMMIT": True}, "jobs", True),  # a job does not wait for another database
        ({"ENQUEUE_ON_COMMIT": False}, "jobs", False),
    ],
)
def test_enqueue_on_commit_is_told_where_it_is_not_what_happens(jobs, given, database, warned):
    """A job belongs to the block of its own database."""
    from rotulus.django import DatabaseBackend

    backend = DatabaseBackend("default", given | {"OPTIONS": {"database": database}})
    told = [one for one in backend.check() if one.id == "rotulus.W013"]

    assert warned == bool(told)
    if told:
        assert f"belongs to the atomic block of its own database, '{database}'." in told[0].msg


def test_an_option_that_there_is_not_is_refused_when_the_backend_is_used():
    """Also where checks are skipped: by who enqueues, and by who asks for a result."""
    from rotulus.django import DatabaseBackend

    backend = DatabaseBackend("default", {"QUEUES": [], "OPTIONS": {"databse": "jobs"}})
    uses = [
        lambda: backend.enqueue(tasks.add, [1], {}),
        lambda: backend.get_result("0199c5a5-0000-7000-8000-000000000000"),
    ]
    for use in uses:
        with pytest.raises(
            InvalidTaskBackend, match=r"no 'databse'; did you mean 'database'\? There"
        ):
            use()


def test_a_queue_name_that_cannot_be_one_is_refused():
    """When the task is declared, or told to use it."""
    with pytest.raises(InvalidTask, match="Queue name"):
        tasks.add.using(queue_name="no spaces")


def end_connection(url):
    """Have the server end every connection to a database but the one that says so."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def url(database):
    """The URL of a server's database that a test has for itself, with our tables: it is `jobs`."""
    with database_as("jobs", postgres_settings(database)):
        call_command("migrate", "rotulus", database="jobs", verbosity=0)
        yield database


@pytest.mark.anywhere
def test_a_connection_that_is_lost_outside_of_a_block_is_replaced(url):
    """The enqueue does not notice."""
    before = tasks.add.enqueue(1)
    end_connection(url)
    after = tasks.add.enqueue(2)

    assert before.id != after.id == tasks.add.get_result(after.id).id


@pytest.mark.anywhere
def test_a_connection_that_is_lost_in_a_block_takes_the_block_with_it(url):
    """What had been done in it is gone, so nothing of it is done again."""
    with pytest.raises(Exception, match="Cannot use django://jobs"), transaction.atomic("jobs"):
        tasks.add.enqueue(1)
        end_connection(url)
        tasks.add.enqueue(2)

    assert [] == app_of("jobs").jobs.find()


def test_a_block_that_is_to_be_rolled_back_takes_no_job(jobs):
    """Django's own error says so."""
    with transaction.atomic("jobs"):
        transaction.set_rollback(True, using="jobs")
        with pytest.raises(TransactionManagementError):
            tasks.add.enqueue(1)

    assert [] == jobs.jobs.find()


@pytest.mark.anywhere
def test_behind_a_pooler_nothing_is_prepared(database):
    """Where Django is told that there is one."""

    def prepared():
        with connections["jobs"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements")
            return cursor.fetchone()[0]

    for setting, count in (({}, 1), ({"DISABLE_SERVER_SIDE_CURSORS": True}, 0)):
        with database_as("jobs", postgres_settings(database) | setting):
            call_command("migrate", "rotulus", database="jobs", verbosity=0)
            before = prepared()
            tasks.add.enqueue(1)
            assert count == prepared() - before


def test_each_option_of_a_declaration_is_one_of_djangos_task():
    """But for two that its decorator has itself, under names of its own; and one of `using`."""
    own = {field.name for field in fields(RotulusTask)} - {field.name for field in fields(Task)}

    assert own == (TaskOptions.__optional_keys__ - {"queue", "priority"}) | {"retries", "group"}
