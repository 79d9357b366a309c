"""Names of Google's resources: what is put together, and what Google would not take."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus.errors import OptionError
from rotulus.pubsub import PubSubSettings, TaskRoute, names

PLACE = names.PlaceNow("prod", "shop.web")
WORDS = st.from_regex(r"\A[a-z][a-z0-9_]{0,20}\Z")
PATHS = st.lists(WORDS, min_size=2, max_size=6).map(".".join)


@given(PATHS, WORDS, WORDS)
def test_names_are_what_google_takes(path, environment, namespace):
    """By the patterns that its documentation states, whatever modules are called."""
    place = names.PlaceNow(environment.removeprefix("goog") or "x", namespace)

    for name in (names.topic_name(path, place), names.subscription_name(path, place)):
        assert re.fullmatch(r"(?!goog)[A-Za-z][\w.~+%-]{2,254}", name, re.ASCII)
    for name in (names.scheduler_job_name(path, place), names.tick_job_name(place)):
        assert re.fullmatch(r"[\w-]{1,500}", name, re.ASCII)


def are_taken(word):
    """Whether a word may be an environment, or a namespace."""
    try:
        return word == PubSubSettings(environment=word).environment
    except OptionError:
        return False


@given(*[st.text("ab-.", max_size=5).map("t".__add__).filter(are_taken)] * 2)
def test_no_two_programs_have_a_topic_in_common(environment, namespace):
    """The beginning of a name says which environment and which namespace it is of."""
    prefix = names.topic_prefix(names.PlaceNow(environment, namespace))
    halves = [
        (prefix[:at], prefix[at + 2 :]) for at in range(len(prefix)) if prefix[at:][:2] == "--"
    ]
    read = {
        (first, rest.removesuffix(".tasks--"))
        for first, rest in halves
        if are_taken(first) and are_taken(rest.removesuffix(".tasks--"))
    }

    assert {(environment, namespace)} == read


def test_the_namespace_has_hyphens_in_scheduler_jobs_too():
    """A scheduler job's name has no dots anywhere."""
    assert "prod--shop-web-scheduler--a-b_c" == names.scheduler_job_name("a.b_c", PLACE)
    assert "prod--shop-web-tick" == names.tick_job_name(PLACE)


def test_what_is_no_task_is_not_called_like_one():
    """The orphans of a prefix are deleted: the tick is none, and no task's topic takes letters."""
    assert not names.tick_job_name(PLACE).startswith(names.scheduler_prefix(PLACE))
    assert "prod--shop.web.tasks-dead-letter" == names.dead_letter_topic_name(PLACE)
    assert not names.dead_letter_topic_name(PLACE).startswith(names.topic_name("", PLACE))


def test_the_longest_name_leaves_room_for_the_subscription():
    """A topic of 251 characters has one, and the next character is refused with the number."""
    room = 255 - len("-sub") - len(names.topic_name("", PLACE))

    assert 255 == len(names.subscription_name("a" * room, PLACE))
    with pytest.raises(OptionError, match="that has 252 characters, of 251 at most; use a shorter"):
        names.topic_name("a" * (room + 1), PLACE)


def test_a_scheduler_job_has_five_hundred_characters_at_most():
    """The message says how many there are."""
    room = 500 - len(names.scheduler_prefix(PLACE))

    assert 500 == len(names.scheduler_job_name("a" * room, PLACE))
    with pytest.raises(OptionError, match="that has 501 characters, of 500 at most"):
        names.scheduler_job_name("a" * (room + 1), PLACE)


@pytest.mark.parametrize("path", ["shop.grüße", "shop.<lambda>", "shop.a/b"])
def test_letters_that_google_does_not_know_are_named(path):
    """Python allows more of them."""
    with pytest.raises(OptionError, match=r"Google does not allow '[ü</]' there; rename"):
        names.topic_name(path, PLACE)
    with pytest.raises(OptionError, match=r"Google does not allow '[ü</]' there; rename"):
        names.scheduler_job_name(path, PLACE)


@pytest.mark.parametrize("word", ["1st", "google", "GOOG", "a b", "ä", "-x", "a--b"])
@pytest.mark.parametrize("variable", ["TASKS_ENVIRONMENT", "TASKS_NAMESPACE"])
def test_a_prefix_that_google_would_not_take_is_refused_where_it_is_set(
    monkeypatch, variable, word
):
    """With the name of the variable, and a value that would do."""
    monkeypatch.setenv(variable, word)

    with pytest.raises(OptionError, match=rf"^{variable}='{word}' is not allowed: .*{variable}="):
        TaskRoute(test_the_longest_name_leaves_room_for_the_subscription).topic_name
    with pytest.raises(OptionError, match=rf"^{variable}="):
        PubSubSettings.from_env()
