"""The registry: names and their tasks, open or frozen, changed as a whole or not at all."""

import threading

import pytest

from rotulus import (
    DuplicateTaskError,
    Task,
    TaskError,
    TaskNotFoundError,
    TaskRegistrationError,
    task,
)
from rotulus._tasks.registry import registered_tasks
from rotulus.errors import OptionError, RegistryFrozenError


def body(): ...


def other(): ...


@pytest.mark.parametrize(
    "name", ["a", "a-b", "a_b", "A9", "puzzles.extract_mate_tag", "a.b.c", "1"]
)
def test_a_name_may_have_segments(registry, name):
    """Of letters, digits, underscores and hyphens, joined by dots."""
    assert name == task(name, registry=registry)(body).name


@pytest.mark.parametrize(
    "name", ["", ".", "a.", ".a", "a..b", "a b", "a/b", "ä", "a\n", "x" * 201, 5, None]
)
def test_a_name_that_is_no_name_is_refused(registry, name):
    """Before anything is registered."""
    with pytest.raises(OptionError, match="is not allowed"):
        task(name, registry=registry)(lambda: None) if name else task("", registry=registry)(5)

    assert [] == registry.list_all()


def test_a_duplicate_shows_both_places(registry):
    """So that one knows which to rename."""
    task("same", registry=registry)(body)
    with pytest.raises(DuplicateTaskError) as caught:
        task("same", registry=registry)(other)

    text = str(caught.value)
    assert 2 == text.count("test_registry.py:")
    assert isinstance(caught.value, ValueError)
    assert registry.get("same").function is body


def test_the_same_function_again_is_harmless(registry):
    """A module may be imported in two ways."""
    first = task("same", registry=registry)(body)

    assert first is task("same", registry=registry)(body)
    assert 1 == len(registry)


def test_an_unknown_name_is_a_key_error_with_a_plain_text(registry):
    """And a value error, and a task error; with the nearest name."""
    task("emails.send", registry=registry)(body)
    with pytest.raises(TaskNotFoundError) as caught:
        registry.get("emails.sent")

    for kind in (KeyError, ValueError, TaskError):
        assert isinstance(caught.value, kind)
    assert "Task 'emails.sent' not found in registry; did you mean 'emails.send'?" == str(
        caught.value
    )


def test_a_frozen_registry_does_not_change(registry):
    """Until it is cleared."""
    task("a", registry=registry)(body)
    registry.freeze()
    for change in (
        lambda: task("b", registry=registry)(other),
        lambda: registry.register("b")(other),
        lambda: registry.unregister("a"),
    ):
        with pytest.raises(RegistryFrozenError, match="before the app starts"):
            change()
    assert ["a"] == registry.list_all()

    registry.clear()
    assert not registry.frozen
    task("b", registry=registry)(other)


def test_a_registry_that_is_served_cannot_be_cleared(registry):
    """A worker has its names in hand."""
    registered_tasks(registry).serve()
    with pytest.raises(RegistryFrozenError, match="close the app first"):
        registry.clear()
    registered_tasks(registry).leave()
    registry.clear()


def test_a_generator_is_no_task(registry):
    """Its result would not be a value."""

    def numbers():
        yield 1

    async def more():
        yield 1

    for function in (numbers, more):
        with pytest.raises(TaskRegistrationError, match="is a generator"):
            task("g", registry=registry)(function)
    assert not registry.has("g")


def test_a_change_that_raises_is_undone(registry):
    """As if it had never begun."""
    task("a", registry=registry)(body)
    with pytest.raises(RuntimeError), registered_tasks(registry).changing():
        registry.unregister("a")
        task("b", registry=registry)(other)
        raise RuntimeError

    assert ["a"] == registry.list_all()


def test_nobody_sees_a_change_half_done(registry):
    """Who looks meanwhile waits."""
    inside, seen = threading.Event(), []

    def look():
        inside.wait(10)
        seen.append(registry.list_all())

    reader = threading.Thread(target=look)
    reader.start()
    with registered_tasks(registry).changing():
        task("a", registry=registry)(body)
        inside.set()
        reader.join(0.05)
        assert [] == seen
        task("b", registry=registry)(other)
    reader.join(10)

    assert [["a", "b"]] == seen


def test_tasks_come_in_the_order_of_registration(registry):
    """Also when one looks through them."""
    for name in ("c", "a", "b"):
        task(name, registry=registry)(lambda: None)

    assert ["c", "a", "b"] == registry.list_all() == [found.name for found in registry]
    assert "a" in registry
    assert "x" not in registry


def test_unregistering_gives_the_task_or_nothing(registry):
    """It is no error to remove what is not there."""
    declared = task("a", registry=registry)(body)

    assert declared is registry.unregister("a")
    assert registry.unregister("a") is None


def test_a_task_is_not_a_test(registry):
    """It is not collected, whatever its name."""
    declared = task("test_it", registry=registry)(body)

    assert declared.__test__ is False
    assert body.__test__ is False


def test_a_task_looks_like_its_function(registry):
    """For tools that ask."""

    def documented(x: int) -> int:
        """What it does."""
        return x

    declared = task(registry=registry)(documented)

    assert ("documented", "What it does.", documented) == (
        declared.__name__,
        declared.__doc__,
        declared.__wrapped__,
    )
    assert isinstance(declared, Task)


@pytest.mark.parametrize(
    "options",
    [
        {"retry": 3},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": "5"},
        {"queue": ""},
        {"queue": "a b"},
        {"priority": 1.5},
        {"priority": True},
        {"tags": "one"},
        {"tags": [1]},
        {"window": -1},
        {"limit": 0},
        {"expires": float("inf")},
        {"key": ""},
        {"key": "a{nobody}"},
        {"key": "a{x.y}"},
        {"key": "a{"},
        {"key": "line\nbreak"},
        {"limit_key": "{0}"},
        {"retries": 3},
    ],
)
def test_an_option_that_makes_no_sense_is_refused_where_it_is_declared(registry, options):
    """By name, and nothing is registered."""
    with pytest.raises(OptionError, match=f"(?i){next(iter(options))}"):
        task("a", registry=registry, **options)(body)

    assert not registry.has("a")


def test_a_registry_shows_the_verbs_of_its_documents(registry):
    """And nothing that only decorators and apps need."""
    shown = {name for name in dir(registry) if not name.startswith("_")}

    assert shown == {
        *("register", "register_function", "unregister", "clear", "freeze", "frozen"),
        *("has", "get", "get_info", "list_all", "list_by_tags"),
    }
