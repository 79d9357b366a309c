"""Which route a message is of, and which tasks a program has for its routes."""

import pytest

from pubsub.pushing import envelope, push
from rotulus import TaskRegistry, task
from rotulus.errors import ConfigurationError, OptionError
from rotulus.pubsub import TaskRoute
from rotulus.pubsub.messages import read_push
from rotulus.pubsub.names import PlaceNow, subscription_name
from rotulus.pubsub.route import Routing

PLACE = PlaceNow("prod", "shop")


def send(number: int) -> int:
    return number


def tidy() -> None: ...


def elsewhere():
    """Another function of the name `tidy`."""

    def tidy() -> None: ...

    tidy.__module__ = "other"
    return tidy


def message(name="x", subscription="x-sub", **attributes):
    """A message that says so much of its task."""
    body = envelope({"task_name": name}, subscription=subscription, attributes=attributes)
    return read_push(push(body))


def test_a_message_is_of_the_route_that_its_attribute_names(registry):
    """Then of that of its subscription, then of the one function of its name."""
    sending = TaskRoute(task(name="mail.send", registry=registry)(send))
    tidying = TaskRoute(tidy)
    routing = Routing([sending, tidying], PLACE)
    subscription = subscription_name(tidying.path, PLACE)

    assert sending is routing.find(message("tidy", subscription, task="mail.send"))
    assert tidying is routing.find(message("send", subscription, task="unknown"))
    assert sending is routing.find(message("send"))
    assert routing.find(message("mail.send")) is None


def test_a_name_that_two_functions_have_is_of_neither():
    """Their subscriptions tell them apart."""
    here, there = TaskRoute(tidy), TaskRoute(elsewhere())
    routing = Routing([here, there], PLACE)

    assert routing.find(message("tidy")) is None
    assert there is routing.find(message("tidy", subscription_name("other.tidy", PLACE)))


def test_two_routes_of_one_task_are_refused(registry):
    """Of one function, too."""
    named = task(name="mail.send", registry=registry)(send)

    for pair in ([named, named], [named, send]):
        routes = [TaskRoute(one, ack_deadline=10 + n) for n, one in enumerate(pair)]
        with pytest.raises(OptionError, match=r"Two routes are of '.*'; leave|Two routes are of"):
            Routing(routes, PLACE)


def test_plain_functions_are_registered_under_their_paths():
    """Once; tasks are registered already."""
    registry = TaskRegistry()
    named = task(name="mail.send", registry=registry)(send)
    routing = Routing([TaskRoute(named), TaskRoute(tidy)], PLACE)

    routing.register(registry)
    routing.register(registry)
    assert ["mail.send", f"{tidy.__module__}.tidy"] == registry.list_all()


def test_a_task_of_another_registry_is_refused():
    """Its jobs could not be run."""
    named = task(name="mail.send", registry=TaskRegistry())(send)

    with pytest.raises(ConfigurationError, match=r"no task 'mail\.send' is registered in the reg"):
        Routing([TaskRoute(named)], PLACE).register(TaskRegistry())
