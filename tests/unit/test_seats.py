"""Seats: so many at once, and a line of those that wait."""

import time
from concurrent.futures import ThreadPoolExecutor

from rotulus._concurrency import seats as settings
from rotulus._concurrency.seats import Seats


def test_a_seat_that_is_taken_can_be_taken_again_when_it_is_left():
    """Nobody has it meanwhile."""
    seats = Seats(1)
    seat = seats.take(time.monotonic())

    assert seats.take(time.monotonic() + 0.01) is None
    seat.leave()
    assert seats.take(time.monotonic()) is not None


def test_one_that_waits_stands_in_the_line_once(monkeypatch):
    """However often it looks for itself; and no more when it has given up."""
    monkeypatch.setattr(settings, "_LOOK_AGAIN", 0.001)
    seats = Seats(1)
    seat = seats.take(time.monotonic())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(seats.take, time.monotonic() + 0.3)
        longest = 0
        while not waiting.done():
            longest = max(longest, len(seats._waiting))

    assert waiting.result() is None
    assert 1 == longest
    assert not seats._waiting
    seat.leave()


def test_each_seat_that_is_left_wakes_one_that_waits(monkeypatch):
    """Nobody is woken by the clock here."""
    monkeypatch.setattr(settings, "_LOOK_AGAIN", 30)
    seats, end = Seats(2), time.monotonic() + 20

    def sit():
        for _ in range(300):
            seats.take(end).leave()

    with ThreadPoolExecutor(8) as pool:
        for one in [pool.submit(sit) for _ in range(8)]:
            one.result(20)

    assert 2 == len(seats._free)
