"""The restart policy of a supervisor: whether another process replaces one that ended, and when."""

from rotulus.errors import ConfigurationError, RotulusError, SchemaError

YOUNG = 10.0
"""Seconds: a process that lives for longer has shown that it can."""

LONGEST_PAUSE = 30.0

_HOPELESS: dict[int, type[RotulusError]] = {
    2: ConfigurationError,
    3: ConfigurationError,
    7: SchemaError,
}
"""Exit codes with which the next process would end, too."""


class RestartPolicy:
    """Decides when a process is replaced: ever later while its successors die young.

    Args:
        burst: whether a process that ends well was the last one.

    Attributes:
        deaths: how many have died young in a row.
    """

    def __init__(self, *, burst: bool) -> None:
        self._burst = burst
        self.deaths = 0

    def after(self, code: int | None, lived: float) -> float | None:
        """Seconds until another process is to be started; None: it was the last one.

        Args:
            code: how it ended: its exit code, or minus the signal that killed it; None when it
                could not be started at all.
            lived: for how many seconds.

        Raises:
            ConfigurationError: it ended because it is wired wrongly, as any other one would.
            SchemaError: the tables do not fit.
        """
        if code in _HOPELESS:
            raise _HOPELESS[code](
                f"A process ended with exit code {code}, and another one would do the same: "
                f"what is wrong stands above"
            )
        if self._burst and code == 0:
            return None
        self.deaths = 0 if lived >= YOUNG else self.deaths + 1
        return 0.0 if self.deaths <= 1 else min(LONGEST_PAUSE, 2.0 ** min(self.deaths - 2, 10))
