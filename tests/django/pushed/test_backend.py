"""`PubSubBackend`: jobs in the transaction of Django, whose messages are published after it."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_shop.backends import pubsub_backend
from rotulus import State
from rotulus.django import PubSubBackend, app_of, worker_app
from rotulus.django.compat import (
    InvalidTask,
    InvalidTaskBackend,
    TaskResultDoesNotExist,
    TaskResultStatus,
    task,
    task_backends,
)
from rotulus.django.testing import EnqueuedTasks
from rotulus.errors import ArgumentsError
from rotulus.events import PublishFailed
from servers.ports import free_port


def unrouted():
    """Something without a route."""


async def coroutine():
    """A coroutine."""


def test_an_enqueue_is_published_at_once(shop):
    """A message with the id of the job, the name of the function, and its arguments."""
    pulled = shop.pull_from("add")
    result = shop.tasks.add.enqueue(1, b=5)
    [message] = pulled()
    told = json.loads(message.data)

    assert TaskResultStatus.READY == result.status
    assert ([1], {"b": 5}, "pubsub") == (result.args, result.kwargs, result.backend)
    assert told.pop("enqueued_at") == result.enqueued_at.isoformat()
    assert {
        "task_id": result.id,
        "task_name": "add",
        "args": [],
        "kwargs": {"a": 1, "b": 5},
    } == told
    assert {"task": "django_shop.tasks.add", "job": result.id} == dict(message.attributes)


def test_what_is_enqueued_in_a_block_is_published_when_it_is_committed(shop):
    """All of it together; and nothing of what was rolled back."""
    pulled = shop.pull_from("add")
    with transaction.atomic(using="jobs"):
        for number in range(5):
            shop.tasks.add.enqueue(number)
        with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
            shop.tasks.add.enqueue(99)
            1 / 0
        assert [] == pulled()
    assert [*range(5)] == sorted(json.loads(one.data)["kwargs"]["a"] for one in pulled())

    with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
        shop.tasks.add.enqueue(1)
        1 / 0
    assert [] == pulled()
    assert 5 == len(shop.app.jobs.find())


def test_one_relay_follows_a_transaction(shop):
    """Its statements do not grow with what was enqueued."""
    shop.pull_from("add")

    def statements(count):
        connection = transaction.get_connection("jobs")
        with CaptureQueriesContext(connection) as seen, transaction.atomic(using="jobs"):
            for number in range(count):
                shop.tasks.add.enqueue(number)
            before = len(seen)
        return len(seen) - before

    assert statements(1) == statements(20)


def test_a_failure_to_publish_does_not_fail_the_enqueue(make_shop, fake):
    """The job stays, and a tick publishes it later."""
    failed = []
    with make_shop(f"127.0.0.1:{free_port()}") as shop:
        shop.app.events.subscribe(failed.append, PublishFailed)
        first = shop.tasks.add.enqueue(1)
        with transaction.atomic(using="jobs"):
            second = shop.tasks.add.enqueue(2)

        assert first.id in [job.id for event in failed for job in event.jobs]
        assert {State.QUEUED} == {shop.app.get(one.id).state for one in (first, second)}
        assert shop.app.store.outbox.entry(second.id).published_at is None


def test_what_was_not_published_is_by_a_tick(shop):
    """Once there is a topic."""
    result = shop.tasks.add.enqueue(1)
    assert shop.app.store.outbox.entry(result.id).published_at is None

    pulled = shop.pull_from("add")
    with transaction.atomic(using="jobs"):  # due now, and not when the lease of the first is over
        shop.app.store.outbox.republish([result.id])
    assert 1 == shop.app.tick().published
    assert [result.id] == [json.loads(one.data)["task_id"] for one in pulled()]


def test_what_was_not_published_is_by_a_worker(shop):
    """It relays, and runs nothing of what Pub/Sub pushes."""
    result = shop.tasks.add.enqueue(1)
    pulled = shop.pull_from("add")
    with transaction.atomic(using="jobs"):  # due now, and not when the lease of the first is over
        shop.app.store.outbox.republish([result.id])
    with worker_app("jobs") as worker:
        worker.run_worker(burst=True)

    assert [result.id] == [json.loads(one.data)["task_id"] for one in pulled()]
    assert ([], "queued") == (shop.tasks.RAN, shop.app.get(result.id).state)


@pytest.mark.requirement("G-34", "G-35", "G-36", "G-37")
def test_G_34_to_G_37_the_capabilities_are_those_of_the_table(shop):
    """Only results can be had."""
    backend = task_backends["pubsub"]

    assert not backend.supports_defer
    assert not backend.supports_async_task
    assert backend.supports_get_result
    assert not backend.supports_priority


@pytest.mark.requirement("G-34", "G-35", "G-37")
@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (lambda add: add.using(run_after=timezone.now() + timedelta(hours=1)), "run_after"),
        (lambda add: add.using(priority=5), "priority"),
        (lambda add: task(backend="pubsub")(coroutine), "async"),
    ],
)
def test_G_34_to_G_37_what_is_not_supported_is_refused(shop, made, problem):
    """Where it is asked for, by Django's own error."""
    with pytest.raises(InvalidTask, match=problem):
        made(shop.tasks.add)


@pytest.mark.requirement("G-36")
def test_G_36_results_can_be_had(shop):
    """By the task, and by the backend."""
    result = shop.tasks.add.enqueue(1)
    shop.app.jobs.run(result.id)
    found = shop.tasks.add.get_result(result.id)

    assert (TaskResultStatus.SUCCESSFUL, 3) == (found.status, found.return_value)
    assert shop.tasks.add == found.task
    with pytest.raises(TaskResultDoesNotExist):
        task_backends["pubsub"].get_result("nothing")


def test_a_task_without_a_route_is_refused(shop):
    """With the words of the source, and what to do."""
    with (
        pubsub_backend("lone", project_id="shop"),
        pytest.raises(
            ValueError, match=r"^Task 'unrouted' not registered\. .*TaskRoute\(unrouted\)"
        ),
    ):
        task(backend="lone")(unrouted).enqueue()

    assert [] == shop.app.jobs.find()


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, {"a": object()}, [lambda: 1], User(username="a")]
)
def test_arguments_that_have_no_json_form_are_refused(shop, value):
    """With the words of the source."""
    with pytest.raises(
        ValueError, match=r"^Task arguments for 'note' are not JSON-serializable: .*value"
    ):
        shop.tasks.note.enqueue(value)

    assert [] == shop.app.jobs.find()


def test_arguments_that_do_not_fit_are_refused_as_everywhere(shop):
    """It is told what is wrong with them."""
    with pytest.raises(ArgumentsError, match="^add"):
        shop.tasks.add.enqueue("many")
    with pytest.raises(ArgumentsError, match="^add"):
        shop.tasks.add.enqueue(1, 2, 3)


def test_decimals_and_dates_go_through(shop):
    """As everywhere: their parameters say what they are."""
    result = shop.tasks.store.enqueue(Decimal("1.50"), date(2026, 1, 2))
    shop.app.jobs.run(result.id)
    result.refresh()

    assert "1.50 2026-01-02" == result.return_value


@pytest.mark.requirement("G-19", "G-21")
def test_G_21_options_have_the_project(shop):
    """Else it is that of the settings, or of the environment; others are refused, with a hint."""
    options = {"BACKEND": "rotulus.django.PubSubBackend"}

    assert shop.project == task_backends["pubsub"].settings.project_id
    for given in ({}, {"project_id": None}, {"project_id": ""}):
        assert "" == PubSubBackend("b", options | {"OPTIONS": given}).settings.project_id
    with pytest.raises(InvalidTaskBackend, match="no 'projct_id'; did you mean 'project_id'"):
        _ = PubSubBackend("b", options | {"OPTIONS": {"projct_id": "shop"}}).app


def test_another_backend_of_the_same_database_does_not_carry(shop):
    """A task that has a route is run by workers, if it is told to use `DatabaseBackend`."""
    pulled = shop.pull_from("add")
    result = shop.tasks.add.using(backend="default").enqueue(1)

    assert [] == pulled()
    assert "default" == shop.app.get(result.id).record.queue
    assert app_of("jobs") is shop.app
    assert app_of("jobs", carried=False) is not shop.app


def test_a_job_that_an_operator_retries_is_published_again(shop):
    """By the app of its database, which the admin uses."""
    pulled = shop.pull_from("fail")
    result = shop.tasks.fail.enqueue("no")
    assert 1 == len(pulled())
    app_of("jobs").jobs.cancel(result.id)
    app_of("jobs").jobs.retry(result.id)

    assert [result.id] == [json.loads(one.data)["task_id"] for one in pulled()]


def test_tests_of_a_project_run_what_is_due_and_publish_nothing(shop):
    """Neither when it is enqueued, nor when it is run, nor by a tick; afterwards, as ever."""
    pulled = shop.pull_from("add")
    with EnqueuedTasks(["jobs"]) as enqueued:
        result = shop.tasks.add.enqueue(1)
        with transaction.atomic(using="jobs"):
            shop.tasks.add.enqueue(2)
        [first, second] = enqueued.run_due()
        shop.app.tick()

        assert [("add", 1, 2), ("add", 2, 2)] == shop.tasks.RAN
        assert ["succeeded", "succeeded"] == [first.state, second.state]
        assert result.id == first.id
    assert [] == pulled()

    shop.tasks.add.enqueue(3)
    assert 1 == len(pulled())
