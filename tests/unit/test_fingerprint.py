"""Fingerprints of failures: what they share, and what they do not depend on."""

import json
import textwrap

import pytest

from rotulus._engine.verdict import describe_error
from rotulus._jobs.fingerprint import LENGTH
from rotulus._jobs.outcome import LOST, plain_error

SHOP = """
def charge(customer):
    raise ValueError(f"{customer} has no card")

def bill(customer):
    return charge(customer)

def remind(customer):
    return charge(customer)

def again(left):
    return again(left - 1) if left else charge("all")

def parse(text):
    import json
    return json.loads(text)
"""


def module(source=SHOP, path="/srv/a/shop.py"):
    """The functions of a module that is somewhere."""
    names = {"__name__": "shop"}
    exec(compile(textwrap.dedent(source), path, "exec"), names)
    return names


def failure(name, *args, of=None):
    """The fingerprint of a call that raises."""
    try:
        (of or module())[name](*args)
    except Exception as error:
        error.__traceback__ = error.__traceback__.tb_next  # without this function
        return describe_error(error).fingerprint
    raise AssertionError("it has not failed")


def test_it_is_twelve_hexadecimal_digits():
    """Short enough for a table and for a URL."""
    made = failure("bill", 7)

    assert LENGTH == len(made)
    assert int(made, 16) >= 0


@pytest.mark.parametrize(
    "other",
    [
        lambda: failure("bill", 8),
        lambda: failure("bill", 7, of=module("\n\n\n# an edit" + SHOP)),
        lambda: failure("bill", 7, of=module(path="/home/b/shop.py")),
    ],
    ids=["another value", "other lines", "another folder"],
)
def test_failures_of_one_cause_share_it(other):
    """Lines, values and folders are noise."""
    assert failure("bill", 7) == other()


def test_the_depth_of_a_recursion_does_not_count():
    """It is the same fault, one call deeper."""
    assert failure("again", 1) == failure("again", 5)


@pytest.mark.parametrize(
    "other",
    [
        lambda: failure("remind", 7),
        lambda: failure("charge", 7),
        lambda: failure("bill", 7, of=module(SHOP.replace("ValueError", "KeyError"))),
        lambda: failure("bill", 7, of={**module(), "bill": lambda _: json.loads("[")}),
    ],
    ids=["another way", "directly", "another type", "another function"],
)
def test_other_failures_have_another_one(other):
    """The way through the code counts, and the type."""
    assert failure("bill", 7) != other()


def test_frames_of_libraries_do_not_count():
    """A message of the parser, from wherever inside of it."""
    assert failure("parse", "[1,") == failure("parse", '{"a" 1}')


def test_a_failure_inside_of_a_library_alone_has_one():
    """Its frames count where there are no others."""
    assert failure("loads", "[", of=vars(json)) != failure("dumps", {1}, of=vars(json))


def test_errors_without_a_traceback_are_told_apart_by_their_kind():
    """A worker that died, a message that was refused."""
    assert LOST.fingerprint == plain_error("WorkerLost", "another text").fingerprint
    assert LOST.fingerprint != plain_error("ProcessLost", "killed").fingerprint


def test_an_exception_that_cannot_be_described_has_one():
    """Whatever its methods do."""

    class Hostile(Exception):
        @property
        def __traceback__(self):
            raise RuntimeError("no")

    assert LENGTH == len(describe_error(Hostile()).fingerprint)
