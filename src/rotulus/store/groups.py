"""`Groups`: jobs that are added one by one, and the job that waits for all of them."""

from collections.abc import Sequence
from typing import Protocol

from rotulus._jobs.record import JobRecord
from rotulus.store.values import NewJob

MOST_MEMBERS = 999_999_999
"""How many jobs a group has at most: their numbers have so many digits."""


class Groups(Protocol):
    """Opens groups, adds jobs to them, and closes them.

    A group is a run whose head is opened when it is added, without parts. Its members are its
    parts: each has no workflow, needs nothing, and stands at a number of nine digits, in the order
    in which they were added. While the group is open, the head also waits for itself. So it is
    `blocked` until the group is closed and all members have ended, however they ended.

    Each call is one transaction, and safe to repeat.
    """

    def open(self, head: NewJob) -> JobRecord:
        """Add the head of a group; returns it, or the job that holds its key.

        The head has a key, by which it is found. Key, limits and moments are as in `add`. A job
        whose id is here already is not added either.
        """
        ...

    def add(self, head_id: str, jobs: Sequence[NewJob]) -> list[JobRecord] | None:
        """Add members, all or none; returns one record for each, in the order given.

        None, and nothing is added: the group is not open. A member holds no key. It is `blocked`
        while the group is paused; else `delayed` or `queued`, as in `add`. A job whose id is here
        already is not added, and its record stands in its place.
        """
        ...

    def close(self, head_id: str) -> bool:
        """Let nobody add members any more; returns whether the group was open.

        The head is due if all members have ended, and the group is not paused. A group that was
        cancelled while it was open is not open again when somebody retries it after this.
        """
        ...

    def is_open(self, head_id: str) -> bool:
        """Returns whether members can be added.

        A group that is cancelled cannot be added to. If it was open then, and was not closed since,
        it is open again when somebody retries it.
        """
        ...
