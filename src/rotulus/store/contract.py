"""`Store`: where jobs live. The docstrings of this folder are the specification of every store.

`Transitions` changes jobs, `Queries` reads them, and a `Store` is both, with what there is to say
about the place itself. Nothing in it is specific to a database. `tests/contract/` holds every store
to every sentence: another store is added to the fixture `bench` there.

Rules that hold for all methods:

- **The fence.** What a worker writes names a job *and an attempt*, and is applied only while that
  attempt is running. Only `claim` raises `attempt`, and nothing lowers it: a worker that lost its
  lease can never overwrite what came after.
- **One transaction each.** A call has happened whole or not at all, also when the process is
  killed inside it. A call may be repeated after an unknown result without doing more.
- **One clock.** A store judges what is due and what is over by one clock for all its users. The
  callers of a store on one machine may share the clock of that machine.
- **Any thread.** A store is synchronous and may be called from any thread, many at a time. Two
  calls that change the same job happen one after the other.
- **Errors.** Every method may raise `StoreError`: `StoreBusyError` if it is worth to try again,
  `StoreClosedError` after `close`. Nothing has happened then, unless the connection was lost while
  the answer was on its way.
- **Texts.** Arguments, results, progress and errors are JSON texts, which the caller has checked. A
  store keeps every character of them, and reads nothing in them but what `retry` says of arguments.
- **Times.** Moments in records are whole microseconds since 1970 (UTC); lengths of time in
  parameters are seconds.

In a forked child a store may be used as before: it takes nothing from the parent's connections,
and opens its own. Only one that lives in memory refuses, as nobody else would see what it does.
"""

from collections.abc import Mapping
from typing import Protocol

from rotulus.store.audit import Audit
from rotulus.store.changes import Changes
from rotulus.store.failures import Failures
from rotulus.store.groups import Groups
from rotulus.store.limit_terms import LimitTerms
from rotulus.store.logs import Logs
from rotulus.store.outbox import Outbox
from rotulus.store.queries import Queries
from rotulus.store.schedules import Schedules
from rotulus.store.stats import Stats
from rotulus.store.tokens import Tokens
from rotulus.store.transitions import Transitions
from rotulus.store.webhooks import Webhooks


class Store(Transitions, Queries, Protocol):
    """Where jobs live: `Transitions`, `Queries`, and what there is to say about the place."""

    @property
    def url(self) -> str:
        """Where it is, without secrets."""
        ...

    @property
    def self_migrating(self) -> bool:
        """Whether an app brings the tables up to date by itself, without being asked."""
        ...

    @property
    def rescue_every(self) -> float:
        """Seconds between two looks for lost jobs."""
        ...

    @property
    def key_patience(self) -> float:
        """Seconds for which an add may wait for a transaction that has added its key.

        0 where no key is waited for, as all writes come one after the other.
        """
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether calls of this thread belong to a transaction that somebody else ends.

        Until then nobody sees what they write, no other thread of this process either: what is
        claimed there cannot be taken by anybody, and a lease of it cannot be renewed.
        """
        ...

    @property
    def tables_sql(self) -> str:
        """What `migrate` does where nothing is yet, as a script for other tools."""
        ...

    @property
    def grants_sql(self) -> Mapping[str, str]:
        """The statements that give a role its rights, by what it does; empty without roles."""
        ...

    @property
    def stats(self) -> Stats:
        """Statistics of attempts and of new jobs."""
        ...

    @property
    def failures(self) -> Failures:
        """Jobs that failed or died, in groups of one cause."""
        ...

    @property
    def limit_terms(self) -> LimitTerms:
        """The terms of keys of limits that stand in place of those that jobs have."""
        ...

    @property
    def logs(self) -> Logs:
        """What attempts have logged."""
        ...

    @property
    def schedules(self) -> Schedules:
        """What is fired when: what programs declare, and what has been added."""
        ...

    @property
    def changes(self) -> Changes:
        """What has happened, for those who listen."""
        ...

    @property
    def groups(self) -> Groups:
        """Jobs that are added one by one, and the job that waits for all of them."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What is to be published of the jobs that are carried to an endpoint outside."""
        ...

    @property
    def audit(self) -> Audit:
        """The audit: verbs, their actors, and how many each changed."""
        ...

    @property
    def webhooks(self) -> Webhooks:
        """The receivers that are told of changes by HTTP."""
        ...

    @property
    def tokens(self) -> Tokens:
        """The tokens that let senders into a service."""
        ...

    def close(self) -> None:
        """Release everything; safe to call twice.

        Waiting calls return; later calls raise `StoreClosedError`.
        """
        ...
