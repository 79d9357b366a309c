"""What people write who come from elsewhere, or mistype: it is answered with what there is."""

import functools

import pytest

from rotulus import App, Retry, TaskRegistry, task
from rotulus._text.urls import check_store_url
from rotulus.errors import ArgumentsError, OptionError
from rotulus.stores.postgres.address import read_address


class User:
    """As SQLAlchemy marks a class of its own."""

    __tablename__ = "users"


@pytest.fixture
def send(app):
    """A task with a parameter that says no type, and one that does."""

    @task(registry=app.registry)
    def send(to, times: int = 1): ...

    return send


@pytest.mark.parametrize(
    ("verb", "ours"),
    [
        ("delay", "send.enqueue(...)"),
        ("apply_async", "send.using(delay=..., queue=...).enqueue(...)"),
        ("send", "send.enqueue(...)"),
        ("kiq", "send.aenqueue(...)"),
    ],
)
def test_a_verb_of_another_library_is_answered_with_ours(send, verb, ours):
    """It is an attribute that is not there, as before."""
    with pytest.raises(AttributeError, match="write ") as caught:
        getattr(send, verb)

    assert str(caught.value).endswith(f"has no {verb}(): write {ours}")
    assert not hasattr(send, verb)


def test_other_attributes_are_missing_as_everywhere(send):
    """In Python's words; and what a property says of itself stays."""
    with pytest.raises(AttributeError, match="'Task' object has no attribute 'nothing'"):
        _ = send.nothing
    with pytest.raises(AttributeError, match="task 'send' has no schedule"):
        _ = send._cron


@pytest.mark.parametrize("given", [1, None, "ada", {"to": 1}])
def test_many_takes_a_list_of_calls(app, send, given):
    """What is none would be stored as something else, or be an error without words."""
    with pytest.raises(ArgumentsError, match=r"send.enqueue_many\(\) takes a list of calls"):
        send.enqueue_many(given)

    assert [] == app.jobs()


def test_a_call_of_many_that_does_not_fit_is_named(app, send):
    """By its number; its problems stay as they are, and none is stored."""
    with pytest.raises(
        ArgumentsError, match="Call 2 of 3 does not fit, so none was stored"
    ) as many:
        send.enqueue_many(iter([1, (1, "x"), 3]))
    with pytest.raises(ArgumentsError) as one:
        send.enqueue(1, "x")

    assert one.value.problems == many.value.problems
    assert str(many.value).endswith(str(one.value))
    assert [] == app.jobs()


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: {"in": [value]}])
@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (User(), "pass its id"),
        (lambda: 1, "a function is code and not data"),
        (functools.partial(print), "a function is code and not data"),
    ],
)
def test_what_is_no_data_is_answered_with_what_to_pass(send, value, hint, wrap):
    """Also within a value."""
    with pytest.raises(ArgumentsError, match=hint):
        send.enqueue(wrap(value))


def test_a_task_that_only_workers_have_takes_no_function_either(app):
    """Though nothing else of the call is checked."""
    with pytest.raises(ArgumentsError, match="a function is code and not data"):
        app.using(unchecked=True).enqueue("elsewhere", lambda: 1)


def test_a_lambda_needs_a_name(registry):
    """It has none of its own."""
    with pytest.raises(OptionError, match="write a def, or give the task a name"):
        task(registry=registry)(lambda: 1)

    assert 1 == task("one", registry=registry)(lambda: 1)()


def test_an_argument_that_there_is_not_is_answered_with_the_nearest():
    """Of a policy, and of an app."""
    with pytest.raises(OptionError, match=r"Retry\(\) has no argument 'attempt'; did you mean 'a"):
        Retry(attempt=3)
    with pytest.raises(OptionError, match=r"App\(\) has no argument 'leese'; did you mean 'leas"):
        App("sqlite://", registry=TaskRegistry(), leese=3)


@pytest.mark.parametrize(
    "url", ["sqlite:///x.db?foo=1", "sqlite:///x.db?synchronous=off", "sqlite://?cache=shared"]
)
def test_a_file_has_one_option(url):
    """It is said with its values."""
    with pytest.raises(ValueError, match="synchronous=full, the default, or synchronous=normal"):
        check_store_url(url)


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("postgresql://u:p@host/my db", "in the host, the database and the options"),
        ("postgresql://host/db#x", "in the host, the database and the options"),
        ("postgresql://u:p@host/db?x=100%", "in the host, the database and the options"),
        ("postgresql://u:p#w@host/db", "in the user and the password"),
        ("postgresql://u:p w@host/d b", "in the user and the password"),
    ],
)
def test_an_odd_character_is_sought_where_it_is(url, where):
    """What is before the last @ is the account."""
    with pytest.raises(OptionError, match=where):
        read_address(url)
