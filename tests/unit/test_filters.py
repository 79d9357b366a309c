"""The filters for jobs are described once, and read from words the same way at every door."""

from datetime import UTC, datetime

import pytest

from rotulus._app.resources.run_views import RunWhere
from rotulus._app.resources.where import Where
from rotulus.errors import OptionError
from rotulus.filters import JOB_FILTERS, RUN_FILTERS, read_words, written_arguments

pytestmark = pytest.mark.anywhere

BY_NAME = {one.name: one for one in JOB_FILTERS}


def test_the_filters_are_those_that_jobs_are_found_by():
    """In the order of `Where`, each once."""
    assert list(Where.__annotations__) == list(BY_NAME)


def test_the_filters_of_runs_are_those_that_runs_are_found_by():
    """In the order of `RunWhere`, each once."""
    assert list(RunWhere.__annotations__) == [one.name for one in RUN_FILTERS]


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("task", [], None),
        ("task", ["mail.*"], "mail.*"),
        ("state", ["failed", "dead"], ["failed", "dead"]),
        ("since", ["90"], 90.0),
        ("since", ["2h"], 7200.0),
        ("until", ["2026-11-20T09:30"], datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("until", ["2026-11-20T09:30:00Z"], datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("label", ["customer=7", "customer=7", "note=a=b"], {"customer": "7", "note": "a=b"}),
        ("args", ["order.id=42", "name=Ada", 'b="7"'], {"order.id": 42, "name": "Ada", "b": "7"}),
    ],
)
def test_words_are_values(name, words, value):
    """As `app.jobs.find` takes them."""
    assert value == read_words(BY_NAME[name], words)


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("task", ["a", "b"], "given 2 times"),
        ("state", ["failed", "lost"], "'lost' is no state; the states are blocked, "),
        ("since", ["yesterday"], "'yesterday' is no time"),
        ("since", ["40000d"], "a hundred years at most"),
        ("label", ["customer"], "'customer' is no label"),
        ("label", ["a=1", "a=2"], "'a' is given twice, as '1' and as '2'"),
        ("args", ["=1"], "'=1' is not PATH=VALUE"),
        ("args", ["a=1", "a=2"], "'a' is given twice"),
    ],
)
def test_words_that_are_no_values_are_refused(name, words, message):
    """With what to write instead."""
    with pytest.raises(OptionError, match=message):
        read_words(BY_NAME[name], words)


def test_values_in_arguments_are_written_as_they_are_read():
    """Also texts that look like numbers."""
    values = {"a": "7", "b.0": 7, "c": None, "d": "é\n"}

    assert values == read_words(BY_NAME["args"], written_arguments(values))
