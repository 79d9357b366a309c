"""`PostgresStore`: the contract of `rotulus.store`, kept in one schema of a PostgreSQL database."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from random import SystemRandom
from typing import Any, TypeVar

from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import JobRecord, micros
from rotulus._jobs.states import State
from rotulus._text.ids import is_id
from rotulus._time.clock import monotonic
from rotulus.errors import StoreBusyError, StoreClosedError, StoreError
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
    Rights,
    Schedules,
    SettledAndClaimed,
    Stats,
    Tokens,
    Webhooks,
    WorkerInfo,
)
from rotulus.stores._migrations import known_migrations
from rotulus.stores.postgres import claiming, rows
from rotulus.stores.postgres.adding import Adder
from rotulus.stores.postgres.address import Address
from rotulus.stores.postgres.batches import Batches
from rotulus.stores.postgres.changes import Places
from rotulus.stores.postgres.claiming import Claims, claim_in, take
from rotulus.stores.postgres.connection import Connections
from rotulus.stores.postgres.counting import gather
from rotulus.stores.postgres.end_waiter import EndWaiter
from rotulus.stores.postgres.grants import grants
from rotulus.stores.postgres.indexes import build_indexes, unfinished
from rotulus.stores.postgres.joining import joined
from rotulus.stores.postgres.listening import listener_on
from rotulus.stores.postgres.migrate import migrate, missing, script
from rotulus.stores.postgres.offers import Offer, Offers
from rotulus.stores.postgres.rights import read_rights
from rotulus.stores.postgres.session import Session
from rotulus.stores.postgres.settling import rescue, settle, settle_alone
from rotulus.stores.postgres.source import Source
from rotulus.stores.postgres.work_waiter import WorkWaiter
from rotulus.stores.shared.audit import SharedAudit
from rotulus.stores.shared.changes import SharedChanges
from rotulus.stores.shared.failures import SharedFailures
from rotulus.stores.shared.groups import SharedGroups
from rotulus.stores.shared.limit_terms import SharedLimitTerms
from rotulus.stores.shared.logs import SharedLogs
from rotulus.stores.shared.outbox import SharedOutbox
from rotulus.stores.shared.schedules import SharedSchedules
from rotulus.stores.shared.session import Row, Value
from rotulus.stores.shared.stats import SharedStats
from rotulus.stores.shared.store import SharedStore, renewed
from rotulus.stores.shared.tokens import SharedTokens
from rotulus.stores.shared.webhooks import SharedWebhooks

T = TypeVar("T")

_WHOLE_TABLE = 300.0
"""Seconds for a call that reads whole tables, or makes them."""

_LET_PASS = 1.0
"""Seconds in which those go on who waited behind a migration that did not get a table."""


def _unheard(_line: str) -> None:
    """Tell nobody: not asked, or new tables, where it takes no time."""


class PostgresStore(SharedStore):
    """Jobs in a PostgreSQL database, shared by any number of machines.

    The server's clock is the only one. Nothing is kept here but connections and hints.

    Args:
        address: where it is.
        source: where calls run; connections of its own unless given.
    """

    def __init__(self, address: Address, source: Source | None = None) -> None:
        self._address = address
        self._connections = source or Connections(address)
        self._random = SystemRandom().random
        self._listener = listener_on(self._connections, self._random)
        self._offers = Offers(self._listener.wake, address.deadline)
        self._adder = Adder(self._connections, self._offers)
        self._claims = Claims(self._connections)
        self._waiters: dict[str, WorkWaiter] = {}
        self._ends = EndWaiter(self._connections)
        self.stats: Stats = SharedStats(self._read, self._write, gather)
        self.failures: Failures = SharedFailures(self._read, self._write)
        self.groups: Groups = SharedGroups(self._read, self._write, self._tell_work)
        self.logs: Logs = SharedLogs(self._read, self._write)
        self.schedules: Schedules = SharedSchedules(
            self._read, self._write, _add_jobs, self._tell_work
        )
        self.webhooks: Webhooks = SharedWebhooks(
            self._read, self._write, _add_jobs, self._tell_work
        )
        pause = self._connections.pause
        self.changes: Changes = SharedChanges(self._read, self._write, Places(), pause)
        after_commit = self._connections.after_commit
        self.outbox: Outbox = SharedOutbox(self._read, self._write, after_commit, take)
        self.audit: Audit = SharedAudit(self._read, self._write)
        self.tokens: Tokens = SharedTokens(self._read, self._write)
        self.limit_terms: LimitTerms = SharedLimitTerms(self._read, self._write, self._tell_work)

    @property
    def url(self) -> str:
        """Where it is, without the password."""
        return self._address.shown

    @property
    def self_migrating(self) -> bool:
        """A database belongs to the people who operate it."""
        return False

    @property
    def rescue_every(self) -> float:
        """Only leases that are over are looked for: a supervisor tells when a process dies."""
        return 4.0  # with chance, five at most: a machine that dies costs a lease of 30, and those

    @property
    def key_patience(self) -> float:
        """As long as any call may take."""
        return self._address.deadline

    @property
    def in_transaction(self) -> bool:
        """Whether the connection is the caller's, with a transaction open."""
        return self._connections.in_transaction

    @property
    def tables_sql(self) -> str:
        """Returns the migrations as one script."""
        return script(self._address.schema)

    @property
    def grants_sql(self) -> Mapping[str, str]:
        """What a producer, a worker and a viewer need."""
        return grants(self._address.schema)

    def migrate(
        self, *, apply: bool = True, tell: Callable[[str], object] | None = None
    ) -> list[str]:
        """Bring the tables up to this version. See `Store.migrate`."""
        schema, place = self._address.schema, self.url
        migrations = self._run(lambda session: missing(session, schema, place))
        if not apply:
            return [migration.name for migration in migrations]
        tell = tell or _unheard
        names = self._migrate_tables(tell) if migrations else []
        if self.unfinished():
            told = _unheard if known_migrations("postgres")[0].name in names else tell
            self._connections.run_outside(
                lambda session: build_indexes(session, schema, self._pause, told)
            )
        return names

    def rights(self) -> Rights:
        """What the user may do. See `Store.rights`."""
        return self._read(lambda session: read_rights(session, self._address.schema))

    def unfinished(self) -> list[str]:
        """Returns a line for each index that is not built yet. See `Store.unfinished`."""
        return self._run(unfinished)

    def _migrate_tables(self, tell: Callable[[str], object]) -> list[str]:
        """Apply the missing migrations; again and again, if a table is in use."""
        schema, place = self._address.schema, self.url
        end, tries = monotonic() + _WHOLE_TABLE, 0
        while True:
            tries += 1
            try:
                return self._run(
                    lambda session: migrate(session, schema, place),
                    atomic=True,
                    seconds=_WHOLE_TABLE,
                )
            except StoreBusyError:
                if monotonic() >= end or self.in_transaction:
                    raise
                if tries == 1:
                    tell("waiting for a table that is in use")
                self._pause(_LET_PASS)

    def _pause(self, seconds: float) -> None:
        self._connections.pause(seconds)
        if self._connections.closed:
            raise StoreClosedError(f"The store {self.url} is closed: open a new App to use it")

    def add(self, jobs: Sequence[NewJob], connection: Any = None) -> list[JobRecord]:
        """Add jobs, all or none. See `Store.add`."""
        if connection is None:
            return self._adder.add(jobs)
        return Batches(jobs).add(self._joined(connection), self._address.channel)

    def claim(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take jobs to run. See `Store.claim`."""
        if wanted.ids is not None:
            return self._claims.claim_ids(wanted, limit, lease)
        began = monotonic()
        claimed = self._claims.claim(wanted, limit, lease)
        if claimed:
            self._work_waiter(wanted).look_soon()
        elif monotonic() - began >= claiming.LONGEST:
            self._work_waiter(wanted).look_now()
        return claimed

    def await_claim(
        self, wanted: ClaimFilter, limit: Callable[[], int], lease: float, timeout: float
    ) -> list[JobRecord]:
        """Wait for jobs, and take them. See `Store.await_claim`."""
        offer, failure, found = Offer(wanted, limit, lease), None, False
        self._offers.make(offer)
        try:
            with suppress(StoreClosedError):
                waiter, end = self._work_waiter(wanted), monotonic() + timeout
                found = waiter.wait(end, self._random, offer.answered.is_set)
        except StoreError as error:
            failure = error
        finally:
            jobs = self._offers.withdraw(offer)
        if failure is not None and not jobs:  # jobs that were claimed meanwhile are to begin
            raise failure
        return self.claim(wanted, limit(), lease) if found and not jobs else jobs

    def extend(
        self,
        claims: Sequence[Renewal],
        lease: float | None = None,
        worker: WorkerInfo | None = None,
    ) -> Renewed:
        """Renew leases. See `Store.extend`."""
        until = rows.span(lease)
        held = [Claim(claim.id, claim.attempt) for claim in claims]
        writes = lease is not None or any(claim.progress or claim.reason for claim in claims)

        def work(session: Session) -> tuple[Sequence[Row], Sequence[Row], bool]:
            draining = False
            if worker is not None and until is not None:
                told = rows.worker(worker)
                draining = bool(session.fetch_value("announce", **told, lease=until))
            if not claims:
                return [], [], draining
            found: Sequence[Row] = []
            if writes:
                found = session.fetch("extend", **rows.many("renewal", claims), lease=until)
            written = {Claim(job, attempt) for job, attempt, _ in found}
            rest = [claim for claim in held if claim not in written]
            left: Sequence[Row] = []
            if rest:
                left = session.fetch("running", **rows.many("claim", rest))
            return found, left, draining

        done, others, draining = self._run(work, atomic=worker is not None, renews=True)
        running = {Claim(job, attempt): bool(flag) for job, attempt, flag in [*done, *others]}
        passed_over = [Claim(job, attempt) for job, attempt, _ in others] if writes else []
        return renewed(claims, running, passed_over, draining=draining)

    def settle(self, outcomes: Sequence[Outcome], connection: Any = None) -> list[Claim]:
        """Record outcomes. See `Store.settle`."""
        if connection is not None:
            return settle(self._joined(connection), outcomes).refused
        settled = self._run(lambda session: settle_alone(session, outcomes))
        if settled is None:
            settled = self._run(lambda session: settle(session, outcomes), atomic=True)
        self._ends.tell(outcome.id for outcome in outcomes)
        if settled.brings_work:
            self._tell_work()
        return settled.refused

    def settle_and_claim(
        self, outcomes: Sequence[Outcome], wanted: ClaimFilter, limit: int, lease: float
    ) -> SettledAndClaimed:
        """Record outcomes, and take what is due then. See `Store.settle_and_claim`."""

        def work(session: Session) -> tuple[SettledAndClaimed, bool]:
            settled = settle(session, outcomes)
            jobs = claim_in(session, wanted, limit, lease) if settled.brings_work else []
            some_left = settled.brings_work and session.fetch_value("some_left", delayed="true")
            return SettledAndClaimed(settled.refused, jobs), bool(some_left)

        done, some_left = self._run(work, atomic=True)
        self._ends.tell(outcome.id for outcome in outcomes)
        if some_left:
            self._tell_work()
        return done

    def rescue(self, limit: int = 1000, worker: str | None = None) -> list[JobRecord]:
        """Take back what was lost. See `Store.rescue`."""
        if worker is not None:
            return self._rescue("held_by", worker=worker)
        return self._rescue("expired", limit=limit)

    def prune(self, before: datetime, states: Collection[State], limit: int) -> int:
        """Delete old jobs. See `Store.prune`."""
        where = {"before": str(micros(before)), "states": rows.array(states), "limit": str(limit)}
        return self._run(lambda session: session.fetch_value("prune", **where))

    def wait(self, what: ClaimFilter | str, timeout: float) -> bool:
        """Wait for a change. See `Store.wait`."""
        end = monotonic() + timeout
        with suppress(StoreClosedError):
            if isinstance(what, ClaimFilter):
                return self._work_waiter(what).wait(end, self._random)
            return not is_id(what) or self._ends.wait(what, end)
        return False

    def close(self) -> None:
        """Release everything. See `Store.close`."""
        self._connections.close()
        self._listener.close()
        self._ends.tell_all()

    def _run(
        self,
        work: Callable[[Session], T],
        *,
        atomic: bool = False,
        seconds: float | None = None,
        renews: bool = False,
    ) -> T:
        return self._connections.run(work, atomic=atomic, seconds=seconds, renews=renews)

    def _read(self, work: Callable[[Session], T]) -> T:
        return self._run(work)

    def _read_tables(self, work: Callable[[Session], T]) -> T:
        def unpinned(session: Session) -> T:
            session.fetch("unpin", timeout=rows.milliseconds(_WHOLE_TABLE))
            return work(session)

        return self._run(unpinned, atomic=True, seconds=_WHOLE_TABLE)

    def _write(self, work: Callable[[Session], T]) -> T:
        return self._run(work, atomic=True)

    def _joined(self, connection: Any) -> Session:
        return self._connections.joined(joined(connection, self.url))

    def _work_waiter(self, wanted: ClaimFilter) -> WorkWaiter:
        key = repr(wanted)
        if key not in self._waiters:
            self._waiters[key] = WorkWaiter(self._connections, self._listener, wanted)
        return self._waiters[key]

    def _tell_ends(self) -> None:
        self._ends.tell_all()

    def _tell_work(self) -> None:
        # A worker that is not told looks by itself soon.
        with suppress(StoreError):  # what is to be told has been committed
            self._run(lambda session: session.fetch("notify", channel=self._address.channel))

    def _rescue(self, which: str, **parameters: Value) -> list[JobRecord]:
        def work(session: Session) -> list[JobRecord]:
            found = rescue(session, which, **parameters)
            if found:
                session.fetch("notify", channel=self._address.channel)
            return found

        return self._run(work, atomic=True)


def _add_jobs(session: Any, jobs: Sequence[NewJob]) -> list[JobRecord]:
    """Add jobs in a transaction; the record of each, or of the job that holds its key."""
    return Batches(jobs).add(session, None)
