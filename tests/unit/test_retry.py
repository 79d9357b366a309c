"""Retry policies: how long to wait, for what, and what they may be."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus import Retry
from rotulus.errors import OptionError


@pytest.mark.parametrize(
    ("backoff", "expected"),
    [("fixed", [2, 2, 2, 2]), ("linear", [2, 4, 6, 8]), ("exponential", [2, 4, 8, 16])],
)
def test_the_delay_grows_as_the_backoff_says(backoff, expected):
    """From `delay` on."""
    retry = Retry(backoff=backoff, delay=2, cap=1000, jitter=False)

    assert expected == [retry.seconds(failures, 0.5) for failures in range(1, 5)]


def test_the_cap_is_the_longest_delay():
    """Before jitter."""
    retry = Retry(delay=10, cap=60, jitter=False)

    assert [10, 20, 40, 60, 60] == [retry.seconds(failures, 0.0) for failures in range(1, 6)]


def test_delays_may_be_given_one_by_one():
    """The last one repeats, and neither backoff nor cap says anything of them."""
    retry = Retry(attempts=6, delay=[5, 300, 7200], cap=60, jitter=False)

    assert [5, 300, 7200, 7200, 7200] == [retry.seconds(failures, 0.5) for failures in range(1, 6)]
    assert [225, 300, 375] == [Retry(delay=[5, 300]).seconds(2, chance) for chance in (0, 0.5, 1)]
    assert {Retry(delay=[5, 300])} == {Retry(delay=(5, 300))}


@given(
    st.sampled_from(["fixed", "linear", "exponential"]),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(1, 10_000),
    st.floats(0, 1),
)
def test_jitter_stays_within_a_quarter(backoff, delay, cap, failures, chance):
    """Above and below; never under zero, and never beyond the cap."""
    plain = Retry(backoff=backoff, delay=delay, cap=cap, jitter=False).seconds(failures, chance)
    spread = Retry(backoff=backoff, delay=delay, cap=cap).seconds(failures, chance)

    assert 0 <= plain <= cap
    assert plain * 0.749 <= spread <= plain * 1.251 + 1e-9
    assert spread <= cap


def test_only_the_errors_it_names_are_retried():
    """And `not_on` wins."""
    retry = Retry(on=(OSError, ValueError), not_on=FileNotFoundError)

    assert retry.wants(ConnectionError())
    assert retry.wants(ValueError())
    assert not retry.wants(FileNotFoundError())
    assert not retry.wants(KeyError())


def test_a_function_may_say_which_errors_are_retried():
    """Given the error itself; `not_on` wins as ever, and may be a function, too."""
    retry = Retry(on=lambda error: "busy" in str(error), not_on=lambda error: "too" in str(error))

    assert retry.wants(RuntimeError("busy"))
    assert not retry.wants(RuntimeError("broken"))
    assert not retry.wants(RuntimeError("too busy"))
    assert not Retry(on=lambda error: True, not_on=OSError).wants(OSError())


@pytest.mark.parametrize("option", ["on", "not_on"])
def test_an_error_that_makes_such_a_function_raise_is_not_retried(option):
    """The function's own error hides nobody else's."""
    assert not Retry(**{option: lambda error: error.errno > 5}).wants(ValueError())


def test_what_is_not_an_exception_is_not_retried_unless_asked_for():
    """SystemExit, and its like."""
    assert not Retry().wants(SystemExit())
    assert Retry(on=BaseException).wants(SystemExit())


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"attempts": -1},
        {"attempts": 2.5},
        {"attempts": True},
        {"attempts": "3"},
        {"backoff": "fixd"},
        {"delay": -1},
        {"delay": "1"},
        {"delay": []},
        {"delay": [1, -1]},
        {"delay": [1, "2"]},
        {"delay": [1, 2, 3], "attempts": 3},
        {"cap": float("inf")},
        {"cap": float("nan")},
        {"after": -1},
        {"on": "ValueError"},
        {"on": ValueError()},
        {"not_on": (ValueError, 3)},
    ],
)
def test_a_value_that_makes_no_sense_is_refused(options):
    """Where it is given, naming the option."""
    with pytest.raises(OptionError, match=next(iter(options))):
        Retry(**options)


def test_an_unknown_backoff_is_told_the_known_ones():
    """So that a typing mistake is not a policy."""
    with pytest.raises(OptionError, match="'fixed', 'linear', 'exponential'"):
        Retry(backoff="fixd")


def test_it_is_a_value():
    """Equal when it says the same."""
    assert Retry(attempts=5) == Retry(attempts=5)
    assert Retry(attempts=5) != Retry(attempts=4)
    assert 1 == len({Retry(attempts=5), Retry(attempts=5)})


def test_it_can_be_raised_through_a_context_manager():
    """Which sets a traceback on it."""

    @contextlib.contextmanager
    def block():
        yield

    with pytest.raises(Retry), block():
        raise Retry(after=5)
