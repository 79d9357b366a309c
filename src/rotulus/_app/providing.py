"""What an app provides: what the parameters of its tasks are filled with, by their types."""

from typing import Any

from rotulus._app.standing import Standing
from rotulus._tasks.injection import Factory, Scope


class Providing:
    """Fills the parameters of tasks."""

    _own: Standing

    def provide(self, kind: Any, factory: Factory, *, scope: Scope = "job") -> None:
        """Fill parameters annotated with a type, exactly, with what a factory makes.

        The factory may be a function, a coroutine function, or a generator of either kind whose
        part after `yield` tears down. Its own parameters are filled by their types likewise.

        Args:
            kind: the type; `kind | None` and `Annotated[kind, ...]` are filled as well.
            factory: makes the value.
            scope: `"job"`: one for each attempt; `"app"`: one for as long as the worker runs.

        Raises:
            OptionError: the scope, the type or the factory is not allowed.
        """
        self._own.injector.provide(kind, factory, scope)
        self._own.engine.plans.forget()

    def reserve(self, kind: Any, remedy: str) -> None:
        """Let no call give parameters of a type, though nobody provides it here.

        One that has a default keeps it. One that has none cannot be filled, and the app does not
        boot: the message ends with the remedy.

        Args:
            kind: the type; what `provide` says of it before or afterwards counts.
            remedy: what to do to have a value for it.
        """
        self._own.injector.reserve(kind, remedy)
        self._own.engine.plans.forget()
