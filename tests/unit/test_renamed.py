"""Public names that were renamed: the old one works, and says the new one."""

import pytest

from rotulus import events


def test_an_event_by_its_old_name():
    """It is the same class."""
    with pytest.warns(DeprecationWarning, match="NurseryStarted is called ForkServerStarted now"):
        old = events.NurseryStarted

    assert old is events.ForkServerStarted


def test_a_name_that_never_was():
    """It is no attribute, as anywhere."""
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = events.Nonsense
