"""The default of parameters that the framework fills, which type checkers see as one."""

from typing import Any

from rotulus.errors import InjectionError


class _Injected:
    """Stands where nothing has been filled in."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise InjectionError(
            f"{name!r} was asked of a parameter that a worker fills, and no worker runs this: in "
            f"a plain call pass a value for it (job=rotulus.testing.make_job() for the job), or "
            f"run the task with app.run(name, ...)"
        )

    def __repr__(self) -> str:
        return "INJECTED"


_Injected.__module__ = "rotulus"

INJECTED: Any = _Injected()
"""The default of a parameter that is filled by its type: `job: Job = INJECTED`.

With it a call need not give the parameter, also in the eyes of type checkers; a job is never run
without a value for it. It fits every type.
"""
