"""Seats: so many at once, and a line of those that wait."""

import time
from concurrent.futures import ThreadPoolExecutor

from rotulus._concurrency import semaphore as settings
from rotulus._concurrency.semaphore import Semaphore


def test_a_permit_that_is_taken_can_be_taken_again_when_it_is_left():
    """Nobody has it meanwhile."""
    semaphore = Semaphore(1)
    permit = semaphore.acquire(time.monotonic())

    assert semaphore.acquire(time.monotonic() + 0.01) is None
    permit.release()
    assert semaphore.acquire(time.monotonic()) is not None


def test_one_that_waits_stands_in_the_line_once(monkeypatch):
    """However often it looks for itself; and no more when it has given up."""
    monkeypatch.setattr(settings, "_LOOK_AGAIN", 0.001)
    semaphore = Semaphore(1)
    permit = semaphore.acquire(time.monotonic())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(semaphore.acquire, time.monotonic() + 0.3)
        longest = 0
        while not waiting.done():
            longest = max(longest, len(semaphore._waiting))

    assert waiting.result() is None
    assert 1 == longest
    assert not semaphore._waiting
    permit.release()


def test_each_permit_that_is_left_wakes_one_that_waits(monkeypatch):
    """Nobody is woken by the clock here."""
    monkeypatch.setattr(settings, "_LOOK_AGAIN", 30)
    semaphore, end = Semaphore(2), time.monotonic() + 20

    def sit():
        for _ in range(300):
            semaphore.acquire(end).release()

    with ThreadPoolExecutor(8) as pool:
        for one in [pool.submit(sit) for _ in range(8)]:
            one.result(20)

    assert 2 == len(semaphore._free)
