"""Tracebacks, folded to the frames of the task's own code."""

import sysconfig
import traceback

from rotulus._app.log import folded

STANDARD = sysconfig.get_path("stdlib")
SITE = "/venv/lib/python3.11/site-packages"


def written(*frames, error="ValueError: no"):
    """A traceback through some files."""
    lines = ["Traceback (most recent call last):"]
    for file, line in frames:
        lines += [f'  File "{file}", line {line}, in f', "    f()", "    ^^^"]
    return "\n".join([*lines, error])


def test_frames_of_libraries_are_counted():
    """Those that follow one another together, by what they are in."""
    text = written(
        ("/shop/tasks.py", 1),
        (f"{SITE}/sqlalchemy/engine.py", 2),
        (f"{SITE}/sqlalchemy/pool.py", 3),
        (f"{STANDARD}/json/decoder.py", 4),
        ("/shop/other.py", 5),
        (f"{STANDARD}/functools.py", 6),
    )

    assert [
        "Traceback (most recent call last):",
        '  File "/shop/tasks.py", line 1, in f',
        "    f()",
        "    ^^^",
        "  ... 3 frames in sqlalchemy, json",
        '  File "/shop/other.py", line 5, in f',
        "    f()",
        "    ^^^",
        "  ... 1 frame in functools",
        "ValueError: no",
    ] == folded(text).splitlines()


def test_a_task_in_an_installed_package_keeps_its_frames():
    """That is its own code then."""
    text = written((f"{SITE}/shop/tasks.py", 1), (f"{SITE}/shop/other.py", 2), (f"{SITE}/x.py", 3))

    assert 2 == folded(text).count('File "')
    assert "... 1 frame in x" in folded(text)


def test_what_libraries_alone_raise_stays():
    """Nothing would be left."""
    text = written((f"{STANDARD}/json/decoder.py", 4), (f"{STANDARD}/functools.py", 6))

    assert text == folded(text)


def test_causes_groups_and_recursion_are_folded_alike():
    """Whatever else stands in a traceback stays."""

    def sink(depth):
        return sink(depth - 1) if depth else int("x")

    try:
        try:
            sink(20)
        except ValueError as error:
            raise ExceptionGroup("two", [error, LookupError("gone")]) from error
    except ExceptionGroup as error:
        text = "".join(traceback.format_exception(error)).rstrip()

    assert text == folded(text)  # no library takes part in it
    assert "Previous line repeated" in folded(text)
    fake = text.replace(__file__, f"{SITE}/far/away.py", 1)
    assert fake.count("\n") > folded(fake).count("\n")
    assert "... 1 frame in far" in folded(fake)


def test_a_text_without_frames_stays():
    """Such as what is said when a traceback could not be made."""
    assert "Traceback not available" == folded("Traceback not available")
    assert "" == folded("")
