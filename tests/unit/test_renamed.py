"""Public names that were renamed: the old one works, and says the new one."""

from operator import attrgetter

import pytest

from rotulus import events, task


def test_an_event_by_its_old_name():
    """It is the same class."""
    with pytest.warns(DeprecationWarning, match="NurseryStarted is called ForkServerStarted now"):
        old = events.NurseryStarted

    assert old is events.ForkServerStarted


@pytest.mark.parametrize(
    ("name", "new"),
    [("delivery", "options"), ("key", "options.key"), ("limit_key", "options.limit_key")],
)
def test_an_attribute_of_a_task_by_its_old_name(registry, name, new):
    """It is the value of the new one."""

    @task(key="k:{n}", limit=1, limit_key="l:{n}", queue="mail", registry=registry)
    def send(n: int): ...

    with pytest.warns(DeprecationWarning, match=rf"task\.{name} is called task\.{new} now"):
        old = getattr(send, name)

    assert old is attrgetter(new)(send) is not None


def test_a_name_that_never_was():
    """It is no attribute, as anywhere."""
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = events.Nonsense
