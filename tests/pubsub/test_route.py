"""A route: what may be routed, and which options fit."""

import dataclasses
import functools

import pytest

from rotulus import TaskRegistry, task
from rotulus.errors import OptionError
from rotulus.pubsub import TaskRoute


def send(number: int) -> int:
    return number


class DjangoTask:
    """What a task of Django has."""

    func = staticmethod(send)


def test_a_task_of_django_is_routed_by_its_function():
    """And is called after it everywhere."""
    route = TaskRoute(DjangoTask())

    assert send is route.function
    assert f"{send.__module__}.send" == route.path == route.task_name


@pytest.mark.parametrize("func", [functools.partial(send, 1), None, "shop.send", 7, object()])
def test_what_has_no_name_is_not_routed(func):
    """A topic is called after the function."""
    with pytest.raises(OptionError, match="func has to be a task, or a function with a name"):
        TaskRoute(func)


@pytest.mark.parametrize(
    "option",
    [
        {"min_retry_delay": -1},
        {"min_retry_delay": 2.5},
        {"max_retry_delay": -1},
        {"max_delivery_attempts": 4},
        {"max_delivery_attempts": 101},
        {"max_delivery_attempts": None},
    ],
)
def test_an_option_out_of_its_span_is_named_with_the_span(option):
    """And with the route."""
    name, value = next(iter(option.items()))
    with pytest.raises(OptionError, match=rf"^TaskRoute\(send.*{name}={value}.*give a number"):
        TaskRoute(send, **option)


def test_the_first_delay_is_not_longer_than_the_longest():
    """Both numbers are told."""
    assert TaskRoute(send, min_retry_delay=600)
    with pytest.raises(OptionError, match="min_retry_delay=601 is longer than max_retry_delay=600"):
        TaskRoute(send, min_retry_delay=601)


def test_an_unknown_option_is_told_with_the_nearest():
    """As with every class of options."""
    with pytest.raises(OptionError, match="did you mean 'schedule'"):
        TaskRoute(send, shedule="0 3 * * *")


def test_a_route_is_a_value():
    """Frozen, equal to its like, and usable as a key."""
    route = TaskRoute(send, schedule="0  3 * * *")

    assert {route: 1}[TaskRoute(send, schedule="0 3 * * *")]
    with pytest.raises(dataclasses.FrozenInstanceError):
        route.ack_deadline = 20


def test_a_task_of_a_registry_keeps_its_registered_name():
    """Jobs carry that name, and topics the function's."""
    registry = TaskRegistry()
    named = task(name="mail.send", registry=registry)(send)

    assert ("mail.send", "send") == (TaskRoute(named).task_name, TaskRoute(named).name)
