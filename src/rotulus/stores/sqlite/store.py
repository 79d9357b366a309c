"""`SqliteStore`: the contract of `rotulus.store`, kept on one SQLite file."""

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import HISTORY, HISTORY_CHARACTERS, JobRecord, micros
from rotulus._jobs.states import State
from rotulus._text.ids import is_id
from rotulus._time.clock import Clock, SystemClock
from rotulus._workflows.paths import join_path
from rotulus.store import (
    EVERYTHING,
    Claim,
    ClaimFilter,
    Count,
    Filter,
    Fleet,
    NewJob,
    Outbox,
    Recounted,
    Renewal,
    Renewed,
    ScheduleEntry,
    SettledAndClaimed,
    WorkerInfo,
)
from rotulus.stores._answers import (
    check_group,
    counts,
    may_wait_for_its_rate,
    moments,
    read_worker,
    renewed,
)
from rotulus.stores._columns import span
from rotulus.stores._filters import find
from rotulus.stores.shared import actions
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Value
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.batches import Batches
from rotulus.stores.sqlite.claiming import claim
from rotulus.stores.sqlite.connection import MEMORY, translated
from rotulus.stores.sqlite.doorbell import KINDS, Doorbell, Kind
from rotulus.stores.sqlite.joining import joined
from rotulus.stores.sqlite.lifeline import Lifeline, boot_id
from rotulus.stores.sqlite.migrate import migrate, missing, script
from rotulus.stores.sqlite.outbox import SqliteOutbox
from rotulus.stores.sqlite.rescuing import rescue
from rotulus.stores.sqlite.settling import Settled, flags, settle
from rotulus.stores.sqlite.source import Source, ends
from rotulus.stores.sqlite.statements import Session, execute, fetch_row, fetch_value
from rotulus.stores.sqlite.watch import wait_for

T = TypeVar("T")


class SqliteStore:
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
        self.outbox: Outbox = SqliteOutbox(self._connections, self._commit, self._now)

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

    def migrate(self, *, apply: bool = True) -> list[str]:
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
        records = self._commit.run(work, alone=batches.alone)
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

        def work(con: sqlite3.Connection) -> str:
            until = None if lease is None else self._lease_until(lease)
            if claims:
                execute(con, "extend", claims=wanted, lease_until=until)
            if worker is not None and until is not None:
                row = rows.worker(worker)
                execute(con, "announce", **row, now=self._now(), boot=boot_id(), lease_until=until)
            return fetch_value(con, "running", claims=wanted)

        answer = self._commit.run(work) if writes else self._read("running", claims=wanted)
        running = flags(answer)
        return renewed(claims, running)

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
        if self._read("expired", **self._present(), limit=limit) == "[]":
            return taken
        return taken + self._rescue("expired", limit=limit)

    def cancel(self, ids: Collection[str]) -> list[JobRecord]:
        """Cancel jobs. See `Store.cancel`."""
        acted = self._write(lambda session: actions.cancel(session, ids))
        self._ring("done")
        self._ring("work")
        return acted.records

    def retry(self, ids: Collection[str], arguments: str | None = None) -> list[JobRecord]:
        """Send ended jobs back. See `Store.retry`."""
        records = self._write(lambda session: actions.retry(session, ids, arguments))
        self._ring("work")
        return records

    def delete(self, ids: Collection[str]) -> list[JobRecord]:
        """Delete ended jobs. See `Store.delete`."""
        return self._write(lambda session: actions.delete(session, ids))

    def pause(self, queues: Collection[str], paused: bool, runs: Collection[str] = ()) -> None:
        """Pause or resume queues and runs. See `Store.pause`."""
        self._write(lambda session: actions.pause(session, queues, runs, paused=paused))
        if not paused:
            self._ring("work")

    def get(self, job_id: str) -> JobRecord | None:
        """One job. See `Store.get`."""
        if not is_id(job_id):
            return None
        with self._connections.reading() as connection:
            found = records_of(self._session(connection), [job_id])
        if not found:
            return None
        [job] = found
        history = self._read("history", id=job_id, limit=HISTORY, characters=HISTORY_CHARACTERS)
        return job._replace(history=history, opens_at=self._opens_at(job))

    def find(
        self, where: Filter = EVERYTHING, limit: int = 100, before: str | None = None
    ) -> list[JobRecord]:
        """The jobs that match. See `Store.find`."""

        def run(name: str, how: dict[str, Any]) -> list[JobRecord]:
            lists = {field: rows.optional_array(how[field]) for field in ("states", "needed_by")}
            return rows.records(self._read(name, **how | lists))

        return find(run, where, limit, before)

    def count(self, by: str = "queue", run: str | None = None, within: str = "") -> list[Count]:
        """How many jobs there are. See `Store.count`."""
        check_group(by)
        prefix = join_path(within, "")
        return counts(rows.read(self._read(f"count_by_{by}", run=run, prefix=prefix)))

    def fleet(self) -> Fleet:
        """The live workers and the paused queues. See `Store.fleet`."""
        alive = rows.read(self._read("workers", boot=boot_id(), clock=self._ticks()))
        paused = rows.read(self._read("paused"))
        return Fleet([read_worker(row, rows.read) for row in alive], moments(paused))

    def schedules(self, entries: Iterable[ScheduleEntry]) -> dict[str, datetime]:
        """Remember scheduled tasks. See `Store.schedules`."""
        wanted = list(entries)
        names = rows.array(entry.name for entry in wanted)

        def work(con: sqlite3.Connection) -> str:
            execute(con, "remember_schedules", entries=rows.array(wanted), now=self._now())
            return fetch_value(con, "schedules", names=names)

        return moments(rows.read(self._commit.run(work)))

    def recount(self, limit: int = 1000, after: str | None = None) -> Recounted:
        """Mend what waits for nothing. See `Store.recount`."""
        with self._connections.reading() as connection:
            wrong, looked, last = fetch_row(connection, "miscounted", limit=limit, after=after)

        def work(session: Session) -> list[JobRecord]:
            mended = session.fetch("recount", ids=wrong)
            return records_of(session, [job for (job,) in mended])

        jobs = self._write(work) if wrong != "[]" else []
        if jobs:
            self._ring("work")
        return Recounted(jobs, last if looked == limit else None)

    def prune(self, before: datetime, states: Collection[State], limit: int) -> int:
        """Delete old jobs. See `Store.prune`."""

        def work(session: Session) -> int:
            session.execute("forget_starts")
            session.execute("forget_workers")
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
        return claim(con, wanted, limit, self._present(), self._lease_until(lease))

    def _write(self, work: Callable[[Session], T]) -> T:
        """Do the work in a transaction, whose moment is the one at which it begins."""
        return self._commit.run(lambda con: work(self._session(con)))

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

    def _opens_at(self, job: JobRecord) -> int | None:
        if not may_wait_for_its_rate(job):
            return None
        with self._connections.reading() as connection:
            where = {"limit_key": job.limit_key, "rate_to": job.rate_to}
            return fetch_value(connection, "opens_at", **where, now=self._now())

    def _read(self, name: str, **parameters: Any) -> str:
        with self._connections.reading() as connection:
            return fetch_value(connection, name, **parameters)

    def _rescue(self, which: str, **parameters: Value) -> list[JobRecord]:
        records = self._write(lambda session: rescue(session, which, **parameters))
        if records:
            self._ring("work")
            self._ring("done")
        return records
