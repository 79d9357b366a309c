"""Where the calls of a PostgreSQL store run: on connections of ours, or on those of its callers."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from rotulus.stores.postgres.address import Address
from rotulus.stores.postgres.session import Execute, Session

T = TypeVar("T")


class Source(Protocol):
    """Runs calls on connections to one database."""

    @property
    def address(self) -> Address:
        """The database."""
        ...

    @property
    def is_callers(self) -> bool:
        """Whether a call runs on the connection of its caller, in the transaction it has open.

        Calls of several callers cannot be performed together then.
        """
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open in this thread that the caller will end."""
        ...

    def run(
        self,
        work: Callable[[Session], T],
        *,
        atomic: bool = False,
        seconds: float | None = None,
        renews: bool = False,
    ) -> T:
        """Do some work, and give what it gives; it may be done more than once.

        Args:
            work: what to do.
            atomic: whether it is more than one statement, and a transaction.
            seconds: how long it may take in all; usually what the address says.
            renews: whether it renews leases, and so has a connection when others have all.
        """
        ...

    def run_outside(self, work: Callable[[Session], object]) -> None:
        """Do some work outside of any transaction, without a time limit; it may be done twice.

        It is left out while a transaction is open that the caller will end.
        """
        ...

    def after_commit(self, function: Callable[[], object]) -> None:
        """Call a function once what the caller has written is committed."""
        ...

    def joined(self, execute: Execute) -> Session:
        """Statements on a connection of somebody else."""
        ...

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond `close`."""
        ...

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...
