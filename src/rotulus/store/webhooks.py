"""`Webhooks`: receivers outside that are told of changes by HTTP, and how far each has got."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from rotulus._jobs.record import JobRecord, Json, Micros
from rotulus.store.changes import Position
from rotulus.store.values import NewJob


class WebhookEntry(NamedTuple):
    """What a webhook says.

    Attributes:
        name: its name, unique in the store.
        url: where its messages are sent.
        events: the types of events that it is told of, as a JSON array.
        task: only of this task; `mail.*` for all names that begin so.
        queue: only of this queue.
        labels: only of jobs with these labels, by name, as JSON text.
    """

    name: str
    url: str
    events: Json
    task: str | None = None
    queue: str | None = None
    labels: Json | None = None


class WebhookRow(NamedTuple):
    """A webhook as it stands in the store.

    Attributes:
        name: as in `WebhookEntry`, and so are the next ones.
        secret: what its messages are signed with.
        old_secret: what they are signed with, too, until `old_until`.
        position: changes up to here have been dealt with.
        missed_at: when changes were found to be missing last.
        slow_until: nothing is sent before, as the receiver has asked for that.
        paused_at: since when it is paused; None: it is not.
        reason: why it is paused; None: somebody wants it so.
        version: one more with each change of what it says, and of whether it is paused.
        changed: the number of its last change among those of all webhooks.
        created_at: when it was added.
        updated_at: when it was changed last.
    """

    name: str
    url: str
    events: Json
    task: str | None
    queue: str | None
    labels: Json | None
    secret: str
    old_secret: str | None
    old_until: Micros | None
    position: Position
    missed_at: Micros | None
    slow_until: Micros | None
    paused_at: Micros | None
    reason: str | None
    version: int
    changed: Micros
    created_at: Micros
    updated_at: Micros | None

    @property
    def entry(self) -> WebhookEntry:
        """What it says."""
        return WebhookEntry._make(self[: len(WebhookEntry._fields)])


class Advance(NamedTuple):
    """A webhook has been told of further changes.

    Attributes:
        name: its name.
        seen: its position as the caller has seen it.
        position: its position from now on.
        missed: whether changes before that are missing.
    """

    name: str
    seen: Position
    position: Position
    missed: bool = False


class Webhooks(Protocol):
    """The webhooks of a store. Each call is one transaction.

    A webhook that is given a `version` is changed only if that is its version. A change raises it,
    but for `advance` and `slow`.
    """

    def read(self, names: Collection[str] | None = None) -> list[WebhookRow]:
        """Returns the webhooks with these names, or all of them, in the order of their names."""
        ...

    def add(self, entry: WebhookEntry, secret: str, position: Position) -> WebhookRow | None:
        """Add a webhook, which is told of changes after a position; None: the name is taken."""
        ...

    def set(self, entry: WebhookEntry, version: int) -> WebhookRow | None:
        """Change what a webhook says; None: there is none of that name and version."""
        ...

    def pause(self, name: str, version: int, reason: str | None = None) -> WebhookRow | None:
        """Tell a webhook of nothing more; None: there is none of that name and version.

        One that is paused already stays as it is.
        """
        ...

    def resume(self, name: str, version: int, position: Position) -> WebhookRow | None:
        """Tell a webhook of changes after a position; None: there is none of name and version.

        One that is not paused stays as it is, and goes on after its own position.
        """
        ...

    def rotate(self, name: str, version: int, secret: str, keep: float) -> WebhookRow | None:
        """Give a webhook another secret; None: there is none of that name and version.

        Its secret of until now is the old one for `keep` seconds; that of before is forgotten.
        """
        ...

    def remove(self, name: str, version: int) -> bool:
        """Remove a webhook; False: there is none of that name and version. Its jobs stay."""
        ...

    def advance(
        self, advances: Sequence[Advance], jobs: Mapping[str, Sequence[NewJob]]
    ) -> dict[str, list[JobRecord]]:
        """Add jobs that tell webhooks of changes, and remember that these are dealt with.

        This is the fence of webhooks: of each webhook that is paused, gone, or not at the position
        that the caller has `seen`, nothing happens. So of several callers one adds the jobs of a
        change, and a caller that dies has added all of them or none, and is not ahead of itself.

        Args:
            advances: the webhooks, and their positions.
            jobs: the jobs to add, by the name of the webhook.

        Returns:
            The jobs of each webhook that has advanced, by its name.
        """
        ...

    def slow(self, name: str, seconds: float) -> None:
        """Have nothing sent for a webhook for so many seconds; for longer, if that was said."""
        ...
