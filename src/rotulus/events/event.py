"""An event, and the one place through which events are emitted."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar


class Event:
    """Something that happened, as a frozen record; each kind is a class.

    Attributes:
        kinds: every kind of event.
        name: the kind, as structured logs name it, such as `worker_started`.
    """

    kinds: ClassVar[list[type["Event"]]] = []
    name: ClassVar[str] = ""
    _level: ClassVar[int] = logging.NOTSET

    def __init_subclass__(cls, *, level: int = logging.NOTSET) -> None:
        """Take note of a kind of event, and of the usual level of its log line."""
        super().__init_subclass__()
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        cls._level = level
        Event.kinds.append(cls)

    @classmethod
    def is_logged(cls) -> bool:
        """Returns whether events of this kind have a log line."""
        return cls._level != logging.NOTSET

    @property
    def level(self) -> int:
        """The level of the log line, one of those of `logging`; `NOTSET` when there is no line."""
        return self._level

    @property
    def raised(self) -> BaseException | None:
        """The exception whose traceback belongs to the log line, if there is one."""
        return None

    def line(self) -> str:
        """Returns the text of the log line."""
        return ""

    def data(self) -> dict[str, Any]:
        """Returns the data of the log line, for structured logs."""
        return {}


Listener = Callable[[Any], None]


@dataclass(frozen=True)
class ListenerFailed(Event, level=logging.ERROR):
    """A subscriber raised while it was told of an event; the others were told all the same."""

    listener: Listener
    error: Exception

    @property
    def raised(self) -> Exception:
        """The exception of the subscriber."""
        return self.error

    def line(self) -> str:
        """Which subscriber raised, and what."""
        return f"listener {self.listener!r} raised {self.error!r}"


class Events:
    """The subscriptions of an app, and where events are emitted."""

    def __init__(self) -> None:
        self._listeners: dict[type[Event], tuple[Listener, ...]] = {}

    def subscribe(self, listener: Listener, *kinds: type[Event]) -> Callable[[], None]:
        """Call a function with every event of some kinds, in the thread where it happens.

        Returns:
            A function that ends the subscription.
        """
        for kind in kinds:
            self._listeners[kind] = (*self._listeners.get(kind, ()), listener)

        def unsubscribe() -> None:
            for kind in kinds:
                others = tuple(x for x in self._listeners.get(kind, ()) if x is not listener)
                self._listeners[kind] = others

        return unsubscribe

    def wants(self, kind: type[Event]) -> bool:
        """Returns whether anybody listens to this kind."""
        return bool(self._listeners.get(kind))

    def emit(self, event: Event) -> None:
        """Tell every subscriber of the event's kind. A listener that raises disturbs nobody."""
        for listener in self._listeners.get(type(event), ()):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a subscriber may raise anything
                if not isinstance(event, ListenerFailed):
                    self.emit(ListenerFailed(listener, error))
