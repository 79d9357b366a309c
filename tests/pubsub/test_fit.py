"""Whether the numbers of a route fit together, counted out by hand."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus import Retry, TaskRegistry, task
from rotulus.errors import ConfigurationError
from rotulus.pubsub import TaskRoute
from rotulus.pubsub.fit import LONGEST_DELAY, check_fit, refusals


def send(): ...


def routed(registry, **options):
    """A task with options, to be routed."""
    return task(name="mail.send", registry=registry, **options)(send)


@pytest.mark.parametrize(
    ("lease", "refused"),
    [
        (5, 0),  # the next delivery comes after 10 seconds
        (10, 1),  # then it is just refused
        (29, 1),  # the one after that comes after 30 in all
        (30, 2),
        (69, 2),  # then 70, 150, 310, 630
        (70, 3),
        (600, 5),
        (1230, 7),  # and every 600 seconds from then on
    ],
)
def test_deliveries_that_a_lease_refuses_are_counted(lease, refused):
    """With delays of 10, 20, 40 seconds, and so on."""
    assert refused == refusals(TaskRoute(send), lease)


@given(st.integers(1, 600), st.integers(1, 2000), st.integers(1, 2000))
def test_the_count_is_that_of_the_moments_of_delivery(first, longest, lease):
    """For any delays, as they are added up one by one."""
    route = TaskRoute(send, min_retry_delay=min(first, longest), max_retry_delay=longest)
    delays = (min(min(first, longest) * 2**n, longest, 600) for n in itertools.count())
    moments = itertools.accumulate(delays)
    expected = sum(1 for _ in itertools.takewhile(lambda at: at <= lease, moments))

    assert expected == refusals(route, lease)


def test_the_default_route_fits_the_default_lease_with_room():
    """Of ten deliveries a crash takes three, and the last of ten comes after 40.5 minutes."""
    check_fit([TaskRoute(send)], TaskRegistry(), 30)
    check_fit([TaskRoute(send)], TaskRegistry(), 600)

    delays = [min(10 * 2**number, LONGEST_DELAY) for number in range(9)]
    assert 2430 == sum(delays)
    assert 7 == TaskRoute(send).max_delivery_attempts - 1 - refusals(TaskRoute(send), 30)


def test_a_timeout_beyond_the_ack_deadline_is_refused_with_both_numbers(registry):
    """One that is equal, too; a task without any is taken."""
    for timeout in (300, 301):
        route = TaskRoute(routed(registry := TaskRegistry(), timeout=timeout))
        with pytest.raises(
            ConfigurationError, match=rf"timeout of {timeout} seconds .* ack_deadline of 300"
        ):
            check_fit([route], registry, 30)

    check_fit([TaskRoute(routed(TaskRegistry(), timeout=299))], TaskRegistry(), 30)


def test_a_long_lease_needs_more_deliveries():
    """The message has the sum, and what it is made of."""
    route = TaskRoute(send, max_delivery_attempts=5)

    check_fit([route], TaskRegistry(), 149)
    with pytest.raises(
        ConfigurationError,
        match=r"max_delivery_attempts=5 is less than 6: 2 attempts, and 4 deliveries .* of 150 sec",
    ):
        check_fit([route], TaskRegistry(), 150)


def test_the_attempts_of_a_tasks_own_policy_need_deliveries(registry):
    """Those that are refused come on top."""
    route = TaskRoute(routed(registry, retry=Retry(attempts=9)))

    check_fit([route], registry, 29)
    with pytest.raises(ConfigurationError, match="is less than 11: 9 attempts, and 2 deliveries"):
        check_fit([route], registry, 30)


def test_deliveries_without_any_delay_are_refused():
    """Nobody can say how many come while a lease holds."""
    route = TaskRoute(send, min_retry_delay=0)

    assert refusals(route, 30) is None
    with pytest.raises(ConfigurationError, match="min_retry_delay=0 any number of deliveries"):
        check_fit([route], TaskRegistry(), 30)


def test_all_that_does_not_fit_is_told_at_once(registry):
    """Of every route."""
    routes = [TaskRoute(routed(registry, timeout=900)), TaskRoute(send, min_retry_delay=0)]

    with pytest.raises(ConfigurationError, match="timeout of 900 .*; TaskRoute.*min_retry_delay=0"):
        check_fit(routes, registry, 30)
