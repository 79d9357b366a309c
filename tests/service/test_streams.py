"""What a stream of a job sends: its changes, and a sign of life when there are none."""

import asyncio

from rotulus.errors import StoreUnavailableError
from rotulus.service import streams

WAITS = {"status": "pending", "ended_at": None}
RUNS = {"status": "running", "ended_at": None}
OVER = {"status": "completed", "ended_at": "2026-11-20T00:00:00Z"}


def sent(looks):
    """What is sent, by its kind: a comment, or the status that it tells."""

    async def read():
        found = iter(looks)

        async def look():
            seen = next(found)
            if isinstance(seen, Exception):
                raise seen
            return seen

        answer = streams.stream(look, WAITS, poll_interval=0, most=1)
        return [part async for part in answer.body_iterator]

    parts = asyncio.run(read())
    assert parts[0].startswith("retry: ")
    return [
        "comment" if part.startswith(":") else part.split("event: ")[1].split("\n")[0]
        for part in parts[1:]
    ]


def test_silence_is_broken_by_a_comment(monkeypatch):
    """Each time that it has lasted too long, also while the store fails; a change breaks it, too."""
    monkeypatch.setattr(streams, "KEEPALIVE", 0.0)
    failed = StoreUnavailableError("away")

    assert [
        *("pending", "comment", "comment", "comment", "running"),
        *("comment", "comment", "completed"),
    ] == sent([WAITS, failed, RUNS, RUNS, OVER])


def test_there_is_no_comment_before_fifteen_seconds():
    """Proxies wait for longer, as a rule, and what is sent for nothing costs something."""
    assert 15.0 == streams.KEEPALIVE
    assert ["pending", "running", "completed"] == sent([WAITS, WAITS, RUNS, RUNS, OVER])
