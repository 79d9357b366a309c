"""The buffer of an attempt's log lines: its bounds, whatever is logged."""

import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus._engine.execution import Execution
from rotulus._engine.log_buffer import LONGEST, MOST_BYTES, MOST_LINES, Line, LogBuffer
from rotulus._jobs.detached import make_job

JOB = make_job().record


def buffer(level=0):
    """A buffer that keeps everything, or from a level on."""
    return LogBuffer(JOB, level)


def record(message="hello", *args, name="app", level=logging.INFO, exc_info=None):
    """A record of `logging`."""
    return logging.LogRecord(name, level, __file__, 1, message, args, exc_info)


def texts(one):
    """The lines of a buffer."""
    return [line.text for line in one.lines()]


class Hostile:
    """A value whose text is an exception."""

    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


def test_a_record_is_a_line():
    """With its level, its logger and its time."""
    made = buffer()
    made.hear(record("%s and %d", "one", 2, level=logging.ERROR))

    [line] = made.pending()
    assert (JOB.id, JOB.attempt, 1, 40, "app") == (*line[:3], line.level, line.logger)
    assert "one and 2" == line.text


def test_lines_below_the_level_and_those_of_the_framework_are_left_out():
    """They do not count."""
    made = buffer(logging.INFO)
    for name in ("rotulus", "rotulus.workers"):
        made.hear(record(name=name, level=logging.ERROR))
    made.hear(record("debug", level=logging.DEBUG))
    made.hear(record("other", name="rotulus_graph"))
    made.say("no", logging.DEBUG)
    made.close()

    assert ["other"] == texts(made)


def test_an_exception_is_kept_with_its_traceback():
    """As the line of a log file has it."""
    made = buffer()
    try:
        raise KeyError("gone")
    except KeyError as error:
        made.hear(record("it failed", exc_info=(KeyError, error, error.__traceback__)))
    made.hear(record("nothing", exc_info=(None, None, None)))
    with_stack = record("here")
    with_stack.stack_info = "Stack (most recent call last):\n  somewhere"
    made.hear(with_stack)

    first, second, third = texts(made)
    assert "here\nStack (most recent call last):\n  somewhere" == third
    assert first.startswith("it failed\nTraceback (most recent call last):\n")
    assert first.endswith("KeyError: 'gone'")
    assert "nothing" == second


@pytest.mark.parametrize(
    ("message", "args"), [("%d", ("x",)), ("%s %s", ("x",)), ("%s", (Hostile(),)), (Hostile(), ())]
)
def test_a_record_that_cannot_be_formatted_is_no_failure(message, args):
    """It is kept as far as it can be."""
    made = buffer()
    made.hear(record(message, *args))

    [text] = texts(made)
    assert "could not be formatted" in text


def test_the_name_of_a_logger_is_bounded():
    """As everything of a line is."""
    made = buffer()
    made.add(20, "n" * 1_000, 0.0, "text")

    assert ["n" * 200] == [line.logger for line in made.lines()]


@pytest.mark.parametrize(
    ("more", "said"), [(0, None), (1, "1 more line was"), (7, "7 more lines were")]
)
def test_so_many_lines_are_kept(more, said):
    """And then how many were left out."""
    made = buffer()
    for number in range(MOST_LINES + more):
        made.say(f"{number}", 20)
    made.close()
    made.close()
    made.say("after the end", 20)
    lines = made.lines()

    assert MOST_LINES + (said is not None) == len(lines)
    if said is not None:
        assert (MOST_LINES + 1, "rotulus") == (lines[-1].line, lines[-1].logger)
        assert lines[-1].text.startswith(f"{said} left out")


@given(
    st.lists(st.text(st.characters(exclude_characters="\0"), max_size=30), max_size=50),
    st.integers(1, 4),
)
def test_so_many_bytes_are_kept(made_of, times):
    """However they are spread over the lines, and however many bytes a character has."""
    made = buffer()
    for text in made_of * times:
        made.say(text * 600, 20)
    kept = texts(made)
    left_out = len(made_of) * times - len(kept)
    made.close()

    assert sum(len(text.encode()) for text in kept) <= MOST_BYTES
    assert (f"{left_out} more" in texts(made)[-1]) if left_out else texts(made) == kept


def test_a_long_line_is_cut_in_its_middle():
    """It says how much is missing."""
    made = buffer()
    made.say("a" * LONGEST + "b" * LONGEST, 20)

    [text] = texts(made)
    assert text[0] == "a"
    assert text[-1] == "b"
    assert f"{LONGEST:,} characters left out" in text


@given(st.text())
def test_every_line_can_be_stored(text):
    """Surrogates and NUL are written as their numbers."""
    made = buffer()
    made.say(text, 20)
    made.add(20, text, 0.0, text)

    for line in made.lines():
        for stored in (line.text, line.logger):
            stored.encode()
            assert "\0" not in stored


def test_levels_beyond_all_are_bounded():
    """A store has room for them."""
    made = buffer()
    made.hear(record(level=10**12))

    assert made.lines()[0].level < 2**31


def test_stored_lines_are_forgotten_and_others_stay():
    """Also those that came meanwhile."""
    made = buffer()
    made.say("one", 20)
    first = made.pending()
    made.say("two", 20)
    made.stored(first)
    assert ["two"] == texts(made)
    assert not made.is_empty

    made.stored(made.pending())
    made.say("three", 20)
    assert [(3, "three")] == [(line.line, line.text) for line in made.lines()]


def test_relayed_lines_are_numbered_where_they_are_stored():
    """A process that is used again begins with 1 each time."""
    made = buffer()
    made.say("here", 20)
    made.relay([Line(1, 0, 20, "x", "there")])
    made.relay([Line(2, 0, 20, "x", "more")])

    assert [(1, "here"), (2, "there"), (3, "more")] == [(ln.line, ln.text) for ln in made.lines()]


def test_threads_of_one_body_lose_no_line():
    """All of them write to the buffer of the first."""
    execution = Execution(JOB)
    execution.log_level = lambda _: 0
    threads = [
        threading.Thread(target=lambda: [execution.log("x", 20) for _ in range(100)])
        for _ in range(8)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert list(range(1, 801)) == [line.line for line in execution.logs.lines()]


def finishes(function):
    """Whether a function comes to its end, in a thread of its own."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(20)
    return not thread.is_alive()


def test_code_that_runs_while_a_line_is_kept_may_log():
    """As a finalizer or a signal handler does, wherever it comes; so may the text of a line."""
    made = buffer()

    class LoudText:
        def __str__(self):
            made.say("from the text", 20)
            return "text"

    class LoudLevel(int):
        """It is compared under the lock: there a finalizer comes only now and then."""

        def __gt__(self, other):
            made.say("from within", 20)
            return super().__gt__(other)

    def log():
        made.hear(record("%s", LoudText()))
        made.hear(record("last", level=LoudLevel(20)))

    assert finishes(log)
    assert [(1, "from the text"), (2, "text"), (3, "last"), (4, "from within")] == sorted(
        (line.line, line.text) for line in made.lines()
    )


def test_the_first_line_may_be_logged_while_the_buffer_is_made():
    """By what decides about its level, or a finalizer: there is one buffer, with both lines."""
    execution = Execution(JOB)

    def level(_):
        execution.log_level = lambda _: 0
        execution.log("inner", 20)
        return 0

    execution.log_level = level
    assert finishes(lambda: execution.log("outer", 20))
    assert ["inner", "outer"] == texts(execution.logs)
