"""What labels and headers may be, and how they are put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus._jobs.labels import (
    Attached,
    check_headers,
    check_labels,
    inherited,
    read_texts,
    united,
    write_texts,
)
from rotulus.errors import OptionError

pytestmark = pytest.mark.anywhere

NAMES = st.from_regex(r"[A-Za-z0-9_./-]{1,63}", fullmatch=True)
WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
TEXTS = st.dictionaries(NAMES, WORDS, max_size=8)


@given(TEXTS)
def test_what_is_written_is_read(texts):
    """In the order of the names; nothing is written for nothing."""
    written = write_texts(check_labels(texts, "labels"))

    assert sorted(texts.items()) == list(read_texts(written).items())
    assert (written is None) == (texts == {})


@given(TEXTS, TEXTS)
def test_the_later_one_counts(first, then):
    """Where both have a name."""
    assert {**first, **then} == united(first, then)


@given(TEXTS, TEXTS, TEXTS)
def test_a_step_has_those_of_its_run_before_its_own(own, run, headers):
    """However deep it is: to inherit twice is to inherit once."""
    whole = Attached(write_texts(run), write_texts(headers))
    once = inherited(Attached(write_texts(own)), whole)

    assert {**own, **run} == read_texts(once.labels)
    assert headers == read_texts(once.headers)
    assert once == inherited(once, whole)


@given(TEXTS, TEXTS, st.integers(0, 16), st.integers(0, 16))
def test_a_step_has_no_more_than_any_job(run, own, of_run, of_step):
    """All of its run, and of its own as many as fit."""
    run |= {f"run{number}": "r" for number in range(of_run - len(run))}
    own |= {f"own{number:02}": "o" for number in range(of_step - len(own))}
    labels = read_texts(
        inherited(Attached(write_texts(own)), Attached(write_texts(run) or "{}")).labels
    )

    assert run.items() <= labels.items() <= {**own, **run}.items()
    assert len(labels) == min(16, len({**own, **run}))
    check_labels(labels, "labels")


def test_the_headers_of_a_step_are_no_longer_than_those_of_any_job():
    """Those of its own that fit are there, also behind one that does not."""
    run, own = {"run": "x" * 4000}, {"a": "x" * 100, "b": "x"}
    headers = read_texts(
        inherited(Attached(None, write_texts(own)), Attached(None, write_texts(run))).headers
    )

    assert run | {"b": "x"} == headers
    check_headers(headers, "headers")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["customer"], "give texts by name"),
        ("customer=7", "give texts by name"),
        ({"customer": 7}, "'customer': 7}.* not a int"),
        ({7: "customer"}, "the name 7"),
        ({"a=b": "7"}, "the name 'a=b'.*use letters, digits and"),
        ({"": "7"}, "the name ''"),
        ({"n" * 64: "7"}, "at most 63 characters"),
        ({"a": ""}, "printable text of 1 to 200 characters"),
        ({"a": "x" * 201}, "printable text of 1 to 200 characters"),
        ({"a": "two\nlines"}, "printable"),
        ({"a": "\ud800"}, "printable"),
        ({f"n{n}": "7" for n in range(17)}, "17 labels.*at most 16"),
    ],
)
def test_a_label_that_is_not_allowed_is_refused(labels, said):
    """The message says which one, and what is allowed."""
    with pytest.raises(OptionError, match=rf"labels.*{said}"):
        check_labels(labels, "labels")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"a": None}, "not a NoneType"),
        ({"a": "\0"}, "NUL"),
        ({"a": "\ud800"}, "half of a character"),
        ({"a": "x" * 4089}, "4,097 bytes.*at most 4,096"),
        ({"a": "é" * 2045}, "4,098 bytes.*at most 4,096"),
    ],
)
def test_headers_that_are_not_allowed_are_refused(headers, said):
    """Size counts in bytes of JSON."""
    with pytest.raises(OptionError, match=rf"headers.*{said}"):
        check_headers(headers, "headers")


def test_as_much_as_is_allowed_is_taken():
    """Sixteen labels; headers of 4,096 bytes, also with lines."""
    assert 16 == len(check_labels({f"n{n}": "x" * 200 for n in range(16)}, "labels"))
    assert check_headers({"a": "x" * 4088}, "headers")
    assert check_headers({"a": "two\nlines", "b": ""}, "headers")
