"""Two decorators on one function: their options are put together, or the second one is refused."""

import pytest

from rotulus import Retry, TaskRegistry, scheduled, task
from rotulus.errors import DuplicateTaskError, OptionError, RotulusError

EARLY, LATE = "0 3 * * *", "0 20 * * *"


def body(): ...


def options(one):
    """What was said of a task."""
    return (one.schedule and one.schedule.cron, one.options.queue, one.tags, one.retry)


ORDERS = {
    "scheduled over task": lambda registry: scheduled(EARLY, registry=registry)(
        task(queue="slow", tags=["a"], registry=registry)(body)
    ),
    "task over scheduled": lambda registry: task(queue="slow", tags=["a"], registry=registry)(
        scheduled(EARLY, registry=registry)(body)
    ),
    "each with some": lambda registry: scheduled(EARLY, tags=["a"], registry=registry)(
        task(queue="slow", registry=registry)(body)
    ),
    "the same twice": lambda registry: scheduled(EARLY, queue="slow", registry=registry)(
        task(queue="slow", tags=["a"], registry=registry)(body)
    ),
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_options_of_both_decorators_count(registry, order):
    """In either order; there is one task, which has all of them."""
    made = ORDERS[order](registry)

    assert (EARLY, "slow", ("a",), None) == options(made)
    assert [made] == list(registry)


def test_a_decorator_without_a_name_leaves_the_name(registry):
    """The task has one already."""
    scheduled(EARLY, registry=registry)(task("reports.nightly", registry=registry)(body))

    assert ["reports.nightly"] == registry.list_all()
    assert EARLY == registry.get("reports.nightly").schedule.cron


def test_another_name_makes_another_task(registry):
    """That is how one function gets two schedules."""
    scheduled(EARLY, "early", registry=registry)(scheduled(LATE, "late", registry=registry)(body))

    assert {"early": EARLY, "late": LATE} == {t.name: t.schedule.cron for t in registry}


TWICE = {
    "schedule": (
        lambda registry: scheduled(LATE, registry=registry),
        lambda registry: scheduled(EARLY, registry=registry),
    ),
    "queue": (
        lambda registry: task(queue="fast", registry=registry),
        lambda registry: task(queue="slow", registry=registry),
    ),
    "retry": (
        lambda registry: task(retry=Retry(attempts=2), registry=registry),
        lambda registry: scheduled(EARLY, retry=Retry(attempts=5), registry=registry),
    ),
}


@pytest.mark.parametrize("option", TWICE)
def test_what_two_decorators_say_differently_is_refused(registry, option):
    """On that line, with both values; the task stays as the inner one declared it."""
    inner, outer = TWICE[option]
    declared = inner(registry)(body)
    with pytest.raises(OptionError, match=f"{option} is given twice"):
        outer(registry)(declared)

    assert [declared] == list(registry)


def test_decorators_of_two_registries_leave_each_its_task(registry):
    """The outer one has the options of both."""
    other = TaskRegistry()
    scheduled(EARLY, registry=other)(task(queue="slow", registry=registry)(body))

    assert (None, "slow", (), None) == options(registry.get("body"))
    assert (EARLY, "slow", (), None) == options(other.get("body"))


def test_one_function_declared_again_with_other_options_is_refused(registry):
    """Not stacked, but side by side: which of them counts would depend on the order of imports."""
    task("one", queue="fast", registry=registry)(body)
    task("one", queue="fast", registry=registry)(body)
    with pytest.raises(DuplicateTaskError, match="with other options"):
        task("one", queue="slow", registry=registry)(body)


@pytest.mark.parametrize("queues", [[], (), "", " , "])
def test_a_worker_of_no_queues_is_refused(app, queues):
    """It would serve nothing, or, as nothing was said, everything."""
    with pytest.raises(RotulusError, match="leave it out to serve all of them"):
        app.run_worker(queues=queues, burst=True)


def test_a_worker_takes_the_name_of_one_queue(app):
    """As a text, which is no list of letters."""
    app.run_worker(queues="mail", burst=True)
