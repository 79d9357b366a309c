"""Follows the changes of a store: one reader for all that listen in this process."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from weakref import WeakSet

from rotulus._app.change_stream import ChangeStream, reset_at
from rotulus._concurrency.starting import rest, start_thread
from rotulus._forking import follow_forks
from rotulus._time.backoff import pause_after
from rotulus._time.clock import monotonic
from rotulus.errors import StoreClosedError, StoreError
from rotulus.events import DutyFailed, Events, StoreFailed, StoreRecovered
from rotulus.store import Change, Store
from rotulus.store.changes import CHANGES_KEPT

_PAUSE = 1.0
"""Seconds after a look, which is one statement: half of what watching may cost a second."""

_LISTEN_EVERY = CHANGES_KEPT / 10

_AT_ONCE = 10_000
"""How many changes are read at once; where there are more, listeners are told a reset instead."""

_IN_TRANSACTION = (
    "Changes cannot be listened to inside of an open transaction on the store's own database: "
    "nobody would get changes until it is over. Begin to listen before it, or after it "
    "(in a test: TransactionTestCase, not TestCase)"
)

_DOING = "changes"
"""What events call it."""


class ChangeFeed:
    """Reads changes as long as somebody listens, and hands them to all who do.

    However many listen, it sends one statement a second to the store at most. Where the store is
    away, or anything else goes wrong, it tries again: the changes are told later.

    Args:
        store: opens the store when it is first needed.
        events: where failures are told.
    """

    def __init__(self, store: Callable[[], Store], events: Events) -> None:
        self._store = store
        self._events = events
        self._begin_process()
        follow_forks(self._begin_process)

    def _begin_process(self) -> None:
        self._lock = threading.Lock()
        self._streams: WeakSet[ChangeStream] = WeakSet()
        self._is_read = False
        self._position = 0

    def stream(
        self, after: int | None, jobs: Collection[str] | None, queues: Collection[str] | None
    ) -> ChangeStream:
        """Returns the changes after a position, of some jobs or queues; None: from its begin on."""
        return ChangeStream(self._follow, after, jobs, queues)

    def _follow(self, stream: ChangeStream) -> None:
        """Have a stream told of changes from now on, and of those since its position.

        Raises:
            StoreError: the store could not be read, or the caller has a transaction open on it.
            ThreadNotStartedError: the system refuses a thread.
        """
        with self._lock:
            store = self._store()
            if store.in_transaction:
                raise StoreError(_IN_TRANSACTION)
            if not self._is_read:
                self._position = store.changes.listen()
                start_thread(partial(self._read_on, store), "rotulus-changes")
                self._is_read = True
            position = self._position
            self._streams.add(stream)
        if stream.position is None:
            stream.begin(position)
        else:
            stream.begin(stream.position, self._earlier(store, stream.position, position))

    def _earlier(self, store: Store, after: int, until: int) -> Sequence[Change]:
        """Returns the changes after a position; a reset, if they are too many."""
        earlier = store.changes.read(after, _AT_ONCE)
        if len(earlier) < _AT_ONCE:
            return earlier
        return [reset_at(max(until, earlier[-1].position), earlier[-1].at)]

    def _read_on(self, store: Store) -> None:
        """Read until nobody listens, or the store is closed."""
        listen_at = monotonic() + _LISTEN_EVERY
        failures = 0
        while self._anybody_listens():
            try:
                if monotonic() >= listen_at:
                    store.changes.listen()
                    listen_at = monotonic() + _LISTEN_EVERY
                found = store.changes.read(self._position, _AT_ONCE)
                if len(found) == _AT_ONCE:  # whoever reads all of them would never catch up
                    found = [_skipped(store, found[-1])]
                self._tell(found)
            except StoreClosedError:
                self._end()
                return
            except Exception as error:  # noqa: BLE001 - those who listen would wait for ever
                failures += 1
                self._note_failure(failures, error)
                time.sleep(pause_after(failures, 0.5))
                continue
            if failures:
                failures = 0
                self._events.emit(StoreRecovered(_DOING))
            rest()
            time.sleep(_PAUSE)

    def _note_failure(self, failures: int, error: Exception) -> None:
        """Tell the first failure in a row."""
        if failures == 1:
            failed = StoreFailed if isinstance(error, StoreError) else DutyFailed
            self._events.emit(failed(_DOING, error))

    def _anybody_listens(self) -> bool:
        with self._lock:
            self._is_read = any(not stream.is_closed for stream in self._streams)
            return self._is_read

    def _tell(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        with self._lock:
            self._position = changes[-1].position
            streams = list(self._streams)
        for stream in streams:
            stream.tell(changes)

    def _end(self) -> None:
        with self._lock:
            self._is_read = False
            streams, self._streams = list(self._streams), WeakSet()
        for stream in streams:
            stream.close()


def _skipped(store: Store, change: Change) -> Change:
    """Returns the reset that stands for a change and all that have come since then."""
    return reset_at(max(change.position, store.changes.listen()), change.at)
