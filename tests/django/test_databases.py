"""Jobs in one of several databases, as routers say; and bodies that want a transaction whole."""

import pytest
from django.db import connections, transaction
from django.test.utils import override_settings

import django_examples as tasks
from django_project import database
from rotulus.django import app_of, worker_app
from rotulus.django.compat import task_backends
from rotulus.django.models import TaskExecution
from rotulus.errors import StoreError

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)]


class Router:
    """Says where executions are read, and where they are written."""

    def __init__(self, reads, writes):
        self.reads, self.writes = reads, writes

    def db_for_read(self, model, **_hints):
        """The first."""
        return self.reads if model is TaskExecution else None

    def db_for_write(self, model, **_hints):
        """The second."""
        return self.writes if model is TaskExecution else None


@pytest.fixture(params=KINDS)
def routed(request, jobs_settings):
    """The app of the database that a router sends executions to."""
    with (
        database("second", jobs_settings(request.param)),
        override_settings(DATABASE_ROUTERS=[Router("second", "second")]),
    ):
        app = app_of("second")
        yield app
        app.close()


def test_a_router_says_where_jobs_live(routed):
    """They are enqueued, found, marked and asked for there."""
    task = tasks.add.using(backend="routed")
    result = task.enqueue(1)
    execution = TaskExecution.objects.get(pk=result.id)
    execution.mark_running()
    execution.mark_successful(3)

    assert "second" == task_backends["routed"].database == execution.database
    assert 3 == task.get_result(result.id).return_value


def test_a_durable_block_has_the_jobs_that_are_enqueued_in_it(routed):
    """And loses them if it is rolled back."""
    task = tasks.add.using(backend="routed")
    with pytest.raises(ZeroDivisionError), transaction.atomic(using="second", durable=True):
        task.enqueue(1)
        1 / 0
    with transaction.atomic(using="second", durable=True):
        kept = task.enqueue(2)

    assert [kept.id] == [execution.pk for execution in TaskExecution.objects.all()]


def test_a_body_may_begin_a_durable_block(routed):
    """An attempt has no transaction around its body: in a worker, and where it is called for."""
    task = tasks.durably.using(backend="routed")
    assert routed.jobs.run(task.enqueue("second").id).error is None

    result = task.enqueue("second")
    with worker_app("second") as worker:
        worker.run_worker(burst=True)
    assert "succeeded" == routed.get(result.id).state


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_that_is_read_is_not_written(jobs_settings, kind):
    """What is found on a replica is steered where the router has it written."""
    given = jobs_settings(kind)

    def refuse(execute, sql, *how):
        assert sql.startswith("SELECT"), sql
        return execute(sql, *how)

    with (
        database("second", given),
        database("replica", given),
        override_settings(DATABASE_ROUTERS=[Router("replica", "second")]),
    ):
        result = tasks.add.using(backend="routed").enqueue(1)
        with connections["replica"].execute_wrapper(refuse):
            execution = TaskExecution.objects.get(pk=result.id)
            execution.mark_running()
            execution.mark_failed("no")
            [again] = TaskExecution.objects.using_jobs().jobs.retry(result.id)

        assert (result.id, "queued") == (again.id, again.state)
        app_of("second").close()


def test_nobody_listens_inside_of_an_open_transaction(routed):
    """Until its end no other process could read changes; before it and after it that is no harm."""
    with (
        transaction.atomic(using="second"),
        pytest.raises(StoreError, match="inside of an open transaction"),
        routed.changes(),
    ):
        pass
    with routed.changes() as changes:
        with transaction.atomic(using="second"):
            result = tasks.add.using(backend="routed").enqueue(1)
        assert result.id == next(changes).name
