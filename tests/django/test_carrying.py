"""Jobs that are published once the transaction of Django is committed that they are added in."""

from functools import partial

import pytest
from django.db import transaction


def test_a_function_waits_for_a_commit_once(jobs):
    """However often it is told to, unless what it waits with may be rolled back by itself."""
    called = []

    def note():
        called.append("note")

    wait = partial(jobs.store.outbox.on_commit, note)
    with transaction.atomic(using="jobs"):
        wait()
        wait()
        with transaction.atomic(using="jobs"):
            wait()
        assert [] == called
    assert ["note"] == called

    called.clear()
    with transaction.atomic(using="jobs"):
        with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
            wait()
            1 / 0
        wait()
        with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
            wait()
            1 / 0
    assert ["note"] == called

    called.clear()
    with transaction.atomic(using="jobs"), transaction.atomic(using="jobs"):
        wait()
    with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
        wait()
        1 / 0
    wait()
    assert ["note", "note"] == called
