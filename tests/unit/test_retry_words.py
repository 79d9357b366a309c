"""Retry policies in English."""

import pytest

from rotulus import Retry
from rotulus._jobs.retry_words import retry_in_words


def is_transient(error):
    """Returns whether an error passes by itself."""
    return "again" in str(error)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"attempts": 1}, "one attempt: what fails is not tried again"),
        ({"attempts": 2}, "2 attempts, after 1 s, give or take a quarter"),
        (
            {"attempts": 5, "jitter": False},
            "5 attempts, after 1 s, 2 s, 4 s and so on, 1 min at most",
        ),
        ({"attempts": 4, "jitter": False}, "4 attempts, after 1 s, 2 s and 4 s"),
        (
            {"attempts": 3, "backoff": "fixed", "delay": 90, "cap": 90, "jitter": False},
            "3 attempts, each 90 s after a failure",
        ),
        ({"attempts": 3, "delay": 0}, "3 attempts, each at once"),
        (
            {"attempts": 4, "delay": [1, 60, 3600], "jitter": False},
            "4 attempts, after 1 s, 1 min and 1 h",
        ),
        (
            {"attempts": 2, "jitter": False, "on": (OSError, EOFError), "not_on": TimeoutError},
            "2 attempts, after 1 s; only for OSError, EOFError; never for TimeoutError",
        ),
        (
            {"attempts": 2, "jitter": False, "on": is_transient},
            "2 attempts, after 1 s; only for what is_transient() chooses",
        ),
    ],
)
def test_a_policy_is_told_in_english(policy, words):
    """How many attempts, when, and for which errors."""
    assert words == retry_in_words(Retry(**policy))
