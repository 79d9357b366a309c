"""`SqliteStore`: the contract of `rotulus.store`, kept on one SQLite file."""

import os
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any, TypeVar

from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import JobRecord, micros
from rotulus._jobs.states import State
from rotulus._time.clock import Clock, SystemClock
from rotulus.store import (
    Audit,
    Changes,
    Claim,
    ClaimFilter,
    Failures,
    Groups,
    LimitTerms,
    Logs,
    NewJob,
    Outbox,
    Renewal,
    Renewed,
    Schedules,
    SettledAndClaimed,
    Stats,
    Tokens,
    Webhooks,
    WorkerInfo,
)
from rotulus.stores._columns import span
from rotulus.stores.shared import actions
from rotulus.stores.shared.audit import SharedAudit
from rotulus.stores.shared.changes import SharedChanges
from rotulus.stores.shared.failures import SharedFailures
from rotulus.stores.shared.groups import SharedGroups
from rotulus.stores.shared.limit_terms import SharedLimitTerms
from rotulus.stores.shared.logs import SharedLogs
from rotulus.stores.shared.outbox import SharedOutbox
from rotulus.stores.shared.schedules import SharedSchedules
from rotulus.stores.shared.session import Value
from rotulus.stores.shared.stats import SharedStats
from rotulus.stores.shared.store import SharedStore, renewed
from rotulus.stores.shared.tokens import SharedTokens
from rotulus.stores.shared.webhooks import SharedWebhooks
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.batches import Batches, add_jobs
from rotulus.stores.sqlite.changes import TriggeredNoting
from rotulus.stores.sqlite.claiming import Claims, take
from rotulus.stores.sqlite.connection import MEMORY, translated
from rotulus.stores.sqlite.counting import gather
from rotulus.stores.sqlite.doorbell import KINDS, Doorbell, Kind
from rotulus.stores.sqlite.joining import joined
from rotulus.stores.sqlite.lifeline import Lifeline, boot_id
from rotulus.stores.sqlite.limit_heads import forget_unless_needed
from rotulus.stores.sqlite.migrate import migrate, missing, script
from rotulus.stores.sqlite.session import Session, fetch_value
from rotulus.stores.sqlite.settling import Settled, flags, rescue, settle
from rotulus.stores.sqlite.source import Source, ends
from rotulus.stores.sqlite.watch import wait_for

T = TypeVar("T")


class SqliteStore(SharedStore):
    """Jobs in one SQLite file, shared by the processes of one machine.

    Args:
        path: the file, made when it does not exist; or `:memory:`, for tests.
        synchronous: `FULL` (the default): a commit survives a loss of power; `NORMAL`: it
            survives a crash of the program.
        clock: the time; only tests hand in another than the machine's.
        source: where calls run; on connections of its own unless given.
    """

    def __init__(
        self,
        path: str,
        *,
        synchronous: str = "FULL",
        clock: Clock | None = None,
        source: Source | None = None,
    ) -> None:
        self._path = path
        self._url = f"sqlite:///{path}" if source is None else source.url
        self._clock = clock or SystemClock()
        self._self_migrating = source is None
        self._connections, self._commit = ends(path, synchronous, source)
        folder = None if path == MEMORY else Path(f"{os.path.realpath(path)}-rotulus")
        self._doorbell = Doorbell(folder)
        self._bells = {kind: partial(self._doorbell.ring, kind) for kind in KINDS}
        self._lifeline = Lifeline(folder)
        self._claims = Claims()
        self.stats: Stats = SharedStats(self._read, self._write, gather)
        self.failures: Failures = SharedFailures(self._read, self._write)
        self.groups: Groups = SharedGroups(self._read, self._write, self._tell_work)
        self.logs: Logs = SharedLogs(self._read, self._write)
        self.schedules: Schedules = SharedSchedules(
            self._read, self._write, add_jobs, self._tell_work
        )
        self.webhooks: Webhooks = SharedWebhooks(self._read, self._write, add_jobs, self._tell_work)
        self.changes: Changes = SharedChanges(self._read, self._write, TriggeredNoting(), sleep)
        after_commit = self._commit.after_commit
        self.outbox: Outbox = SharedOutbox(self._read, self._write, after_commit, take)
        self.audit: Audit = SharedAudit(self._read, self._write)
        self.tokens: Tokens = SharedTokens(self._read, self._write)
        self.limit_terms: LimitTerms = SharedLimitTerms(self._read, self._write, self._tell_work)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._url

    @property
    def self_migrating(self) -> bool:
        """A file belongs to the program that uses it."""
        return self._self_migrating

    @property
    def rescue_every(self) -> float:
        """The end of a process of this machine is noticed at once."""
        return 1.0

    @property
    def key_patience(self) -> float:
        """A file has one writer at a time."""
        return 0.0

    @property
    def in_transaction(self) -> bool:
        """Whether the connection is the caller's, with a transaction open."""
        return self._commit.in_transaction

    @property
    def tables_sql(self) -> str:
        """Returns the migrations as one script."""
        return script()

    @property
    def grants_sql(self) -> Mapping[str, str]:
        """A file has no roles."""
        return {}

    def rights(self) -> None:
        """A file has no users of its own."""

    def unfinished(self) -> list[str]:
        """Nothing: a file is migrated in one transaction."""
        return []

    def migrate(
        self,
        *,
        apply: bool = True,
        tell: Callable[[str], object] | None = None,  # noqa: ARG002 - one transaction, in one go
    ) -> list[str]:
        """Bring the tables up to this version. See `Store.migrate`."""
        with self._connections.reading() as connection:
            migrations = missing(connection, self._path)
        if not migrations or not apply:
            return [migration.name for migration in migrations]
        return self._commit.run(lambda con: migrate(con, self._path, self._now()))

    def add(self, jobs: Sequence[NewJob], connection: Any = None) -> list[JobRecord]:
        """Add jobs, all or none. See `Store.add`."""
        now = self._now()
        batches = Batches(jobs, now)

        def work(con: sqlite3.Connection) -> list[JobRecord]:
            return batches.add(Session(con, {"now": now}))

        if connection is not None:
            with translated(self._path):
                return work(self._joined(connection))
        records = self._commit.run(work)
        self._ring("work")
        return records

    def claim(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take jobs to run. See `Store.claim`."""
        self._lifeline.hold(wanted.worker)
        return rows.records(self._commit.run(lambda con: self._claim_in(con, wanted, limit, lease)))

    def extend(
        self,
        claims: Sequence[Renewal],
        lease: float | None = None,
        worker: WorkerInfo | None = None,
    ) -> Renewed:
        """Renew leases. See `Store.extend`."""
        wanted = rows.array(claims)
        writes = lease is not None or any(claim.progress or claim.reason for claim in claims)

        def running(session: Session) -> str:
            return session.fetch_value("running", claims=wanted)

        def work(session: Session) -> tuple[str, bool]:
            until, draining = None if lease is None else self._lease_until(lease), False
            if claims:
                session.execute("extend", claims=wanted, lease_until=until)
            if worker is not None and until is not None:
                told = rows.worker(worker)
                draining = bool(session.fetch_value("announce", **told, lease_until=until))
            return running(session), draining

        answer, draining = self._write(work) if writes else (self._read(running), False)
        return renewed(claims, flags(answer), draining=draining)

    def settle(self, outcomes: Sequence[Outcome], connection: Any = None) -> list[Claim]:
        """Record outcomes. See `Store.settle`."""
        if connection is not None:
            with translated(self._path):
                return settle(self._session(self._joined(connection)), outcomes).refused

        def work(session: Session) -> tuple[Settled, int]:
            return settle(session, outcomes), session.fetch_value("limited_wait")

        settled, limited_wait = self._write(work)
        self._ring("done")
        if limited_wait or settled.brings_work:
            self._ring("work")
        return settled.refused

    def settle_and_claim(
        self, outcomes: Sequence[Outcome], wanted: ClaimFilter, limit: int, lease: float
    ) -> SettledAndClaimed:
        """Record outcomes, and take what is due then. See `Store.settle_and_claim`."""
        self._lifeline.hold(wanted.worker)

        def work(con: sqlite3.Connection) -> tuple[Settled, str, bool]:
            settled = settle(self._session(con), outcomes)
            taken = self._claim_in(con, wanted, limit, lease)
            return settled, taken, bool(fetch_value(con, "some_left"))

        settled, taken, some_left = self._commit.run(work)
        self._ring("done")
        if some_left:
            self._ring("work")
        return SettledAndClaimed(settled.refused, rows.records(taken))

    def rescue(self, limit: int = 1000, worker: str | None = None) -> list[JobRecord]:
        """Take back what was lost. See `Store.rescue`."""
        if worker is not None:
            return self._rescue("held_by", worker=worker)
        with self._lifeline.dead() as workers:
            taken = [record for dead in workers for record in self.rescue(worker=dead)]
        if self._read(lambda session: session.fetch_value("expired", limit=limit)) == "[]":
            return taken
        return taken + self._rescue("expired", limit=limit)

    def prune(self, before: datetime, states: Collection[State], limit: int) -> int:
        """Delete old jobs. See `Store.prune`."""

        def work(session: Session) -> int:
            session.execute("forget_starts")
            session.execute("forget_workers")
            forget_unless_needed(session)
            gone = 0
            for state in states:
                where = {"state": state, "before": micros(before), "limit": limit - gone}
                outdated = session.fetch_value("outdated", **where)
                gone += actions.delete_runs(session, rows.read(outdated))
                if gone >= limit:
                    break
            return gone

        return self._write(work)

    def wait(self, what: ClaimFilter | str, timeout: float) -> bool:
        """Wait for a change. See `Store.wait`."""
        return wait_for(what, timeout, self._connections, self._present, self._doorbell)

    def close(self) -> None:
        """Release everything. See `Store.close`."""
        self._lifeline.close()
        self._commit.alone(self._connections.close)
        self._doorbell.close()

    def _claim_in(
        self, con: sqlite3.Connection, wanted: ClaimFilter, limit: int, lease: float
    ) -> str:
        # Read inside the transaction: starts are counted in the order of their times.
        return self._claims.claim(con, wanted, limit, self._present(), self._lease_until(lease))

    def _read(self, work: Callable[[Session], T]) -> T:
        with self._connections.reading() as connection:
            return work(self._session(connection))

    def _read_tables(self, work: Callable[[Session], T]) -> T:
        return self._read(work)

    def _write(self, work: Callable[[Session], T]) -> T:
        # The moment is read inside the transaction.
        return self._commit.run(lambda con: work(self._session(con)))

    def _tell_work(self) -> None:
        self._ring("work")

    def _tell_ends(self) -> None:
        self._ring("done")
        self._ring("work")

    def _session(self, connection: sqlite3.Connection) -> Session:
        return Session(connection, self._present())

    def _joined(self, connection: Any) -> sqlite3.Connection:
        return joined(connection, self._path, self.url)

    def _ring(self, kind: Kind) -> None:
        """Wake those who wait for what was written, once it can be seen."""
        self._commit.after_commit(self._bells[kind])

    def _now(self) -> int:
        return micros(self._clock.now())

    def _ticks(self) -> int:
        return span(self._clock.monotonic())

    def _present(self) -> dict[str, Any]:
        """The present moment by both clocks, as parameters of statements."""
        return {"now": self._now(), "clock": self._ticks(), "boot": boot_id()}

    def _lease_until(self, lease: float) -> int:
        return self._ticks() + span(lease)

    def _rescue(self, which: str, **parameters: Value) -> list[JobRecord]:
        records = self._write(lambda session: rescue(session, which, **parameters))
        if records:
            self._tell_ends()
        return records
