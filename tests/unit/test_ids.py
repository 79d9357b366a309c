"""Ids are drawn many at a time: no two are the same, in whatever thread or process."""

import os
import random
import threading
from datetime import UTC, datetime

import pytest

from rotulus._text.ids import Ids, is_id
from rotulus.testing import SettableClock

EACH = 2_000


def draw(ids, number=EACH):
    """Ids, one by one and in bulk by turns."""
    drawn = []
    while len(drawn) < number:
        drawn += [ids(), *ids.many(7)]
    return drawn


@pytest.mark.parametrize("moves", [False, True])
def test_threads_never_share_an_id(moves):
    """Within one millisecond, and while time goes on; each thread gets its own in order."""
    now = (lambda: datetime.now(UTC)) if moves else SettableClock().now
    ids, start, drawn = Ids(now, random.SystemRandom()), threading.Barrier(8), []

    def work():
        start.wait(30)
        drawn.append(draw(ids))

    threads = [threading.Thread(target=work) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    every = [one for mine in drawn for one in mine]

    assert 8 == len(drawn)
    assert len(every) == len(set(every))
    assert all(map(is_id, every))
    assert all(mine == sorted(mine) for mine in drawn)


def test_a_forked_child_never_repeats_the_ids_of_its_parent():
    """Nor those of its siblings: at the same moment, with what had been drawn before the fork."""
    ids = Ids(SettableClock().now, random.SystemRandom())
    drawn = draw(ids)
    children = [fork(lambda: draw(ids)) for _ in range(4)]
    drawn += draw(ids)
    for child in children:
        drawn += read(child)

    assert 6 * 2_000 == len(drawn)
    assert len(drawn) == len(set(drawn))


def fork(make):
    """A child that writes what it makes into a pipe; its number, and where to read."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    try:
        with os.fdopen(writer, "w") as out:
            out.write("\n".join(make()))
    finally:
        os._exit(0)


def read(child):
    """What a child has made."""
    pid, reader = child
    with os.fdopen(reader) as made:
        told = made.read().split()
    os.waitpid(pid, 0)
    return told
