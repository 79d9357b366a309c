"""`encrypting`: a store in front of another one, which encrypts what it writes of jobs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from rotulus._jobs.encrypted import Cipher, decrypted, encrypted, is_encrypted
from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import JobRecord
from rotulus.errors import CipherError, OptionError
from rotulus.store import (
    EVERYTHING,
    Edit,
    FailureGroup,
    Filter,
    Fired,
    Found,
    NewJob,
    Part,
    Recounted,
    ScheduleEntry,
    ScheduleRow,
    SettledAndClaimed,
    Store,
    Tally,
)

_PROBE = b"rotulus"
"""What a cipher encrypts, to see that it does."""

_HELD = ("failures", "outbox", "webhooks")
"""The parts of a store whose values are those of jobs, and that need nothing else."""

_PLAIN = frozenset({str, bytes, int, float, bool, type(None)})
"""The types of most values that have nothing to encrypt."""

_OF_STEPS = ('{"needs":', '{"skip":true}')
"""How the arguments of a step begin that only say what it waits for, or that it is to be skipped.

Stores read that.
"""


def encrypting(store: Store, cipher: Cipher) -> Store:
    """Returns a store that has arguments and results encrypted in another one."""
    return cast("Store", EncryptingStore(store, Values(cipher)))


def check_cipher(cipher: object) -> None:
    """Raise `OptionError` for what cannot be a cipher; None is none."""
    if cipher is not None and (isinstance(cipher, type) or not isinstance(cipher, Cipher)):
        raise OptionError(  # without the value itself, which may be a key
            f"cipher= is not allowed to be of type {type(cipher).__name__}: it has to have "
            f"encrypt() and decrypt(), each of which takes bytes and returns bytes, as Fernet(key) "
            f"of cryptography has"
        )


def try_cipher(cipher: Cipher) -> None:
    """Encrypt something. Raises `CipherError` for a cipher that does not return bytes."""
    problem = None
    try:
        made = cast("object", cipher.encrypt(_PROBE))
    except Exception as error:  # noqa: BLE001 - a cipher raises what it likes
        problem = f"raises {type(error).__name__}: {error}"
    else:
        if not isinstance(made, bytes):
            problem = f"returns {type(made).__name__}"
    if problem is not None:
        raise CipherError(
            f"cipher={type(cipher).__name__} is not allowed: its encrypt() {problem}, and has to "
            f"return bytes"
        )


def check_both_ways(cipher: Cipher | None) -> None:
    """Raise `CipherError` for a cipher that does not decrypt what it has encrypted.

    A worker needs both ways; a program that only enqueues may be unable to decrypt.
    """
    if cipher is None:
        return
    try_cipher(cipher)
    stored = encrypted(_PROBE.decode(), cipher)
    if decrypted(stored, cipher) != _PROBE.decode():
        raise CipherError(
            f"cipher={type(cipher).__name__} does not decrypt what it has encrypted: a worker with "
            f"it leaves every job that has arguments to others"
        )


class Values:
    """Encrypts and decrypts what stands in the values of a store, by their types.

    Args:
        cipher: what encrypts.
    """

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher
        self.writers: dict[type, Callable[[Any], Any]] = {
            NewJob: self._new_job,
            Outcome: self._outcome,
            Edit: self._with_arguments,
            ScheduleEntry: self._with_arguments,
        }
        self.readers: dict[type, Callable[[Any], Any]] = {
            JobRecord: self._record,
            ScheduleRow: lambda row: row._replace(arguments=self.read(row.arguments)),
            FailureGroup: lambda group: replace(group, example=self._record(group.example)),
            **dict.fromkeys((Fired, Part, Recounted, SettledAndClaimed), self._fields),
        }

    def write(self, text: str) -> str:
        """Returns a JSON text as it is stored."""
        return encrypted(text, self._cipher)

    def read(self, text: str) -> str:
        """Returns a stored text as it was, if it can be read."""
        return decrypted(text, self._cipher)

    def written(self, value: Any) -> Any:
        """Returns an argument of a method as the store behind takes it."""
        return _each(value, self.writers)

    def opened(self, value: Any) -> Any:
        """Returns the answer of a method as the store behind would have given it in plain text."""
        return _each(value, self.readers)

    def _new_job(self, job: NewJob) -> NewJob:
        of_step = job.workflow is not None and job.arguments.startswith(_OF_STEPS)
        arguments = job.arguments if of_step else self.write(job.arguments)
        return job._replace(arguments=arguments, parts=self.written(job.parts))

    def _outcome(self, outcome: Outcome) -> Outcome:
        result = None if outcome.result is None else self.write(outcome.result)
        return outcome._replace(result=result, parts=self.written(outcome.parts))

    def _with_arguments(self, value: Any) -> Any:
        text = None if value.arguments is None else self.write(value.arguments)
        return value._replace(arguments=text)

    def _record(self, record: JobRecord) -> JobRecord:
        arguments, result = self.read(record.arguments), record.result
        return record._replace(
            arguments=arguments, result=None if result is None else self.read(result)
        )

    def _fields(self, value: Any) -> Any:
        return value._make(map(self.opened, value))


def _each(value: object, by_type: Mapping[type, Callable[[Any], Any]]) -> Any:
    """Returns a value with what is known by its type changed, in lists and mappings, too."""
    kind = type(value)
    change = by_type.get(kind)
    if change is not None:
        return change(value)
    if kind in _PLAIN or not value or isinstance(value, str) or hasattr(value, "_fields"):
        return value
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {key: _each(one, by_type) for key, one in items}
    if isinstance(value, Sequence):
        found = [_each(one, by_type) for one in cast("Sequence[Any]", value)]
        return tuple(found) if isinstance(value, tuple) else found
    return value


class Encrypting:
    """A store, or a part of one, whose methods encrypt what they are given and decrypt the answer.

    Args:
        inner: the one behind it.
        values: what encrypts.
    """

    def __init__(self, inner: Any, values: Values) -> None:
        self._inner = inner
        self._values = values

    def __getattr__(self, name: str) -> Any:
        """Returns what the one behind has under that name; a method in its encrypting form."""
        if name == "_inner":  # a copy that is being made has none yet
            raise AttributeError(name)
        found, values = getattr(self._inner, name), self._values
        if not callable(found):
            return found
        method = cast("Callable[..., Any]", found)

        def call(*args: Any, **kwargs: Any) -> Any:
            given = {key: values.written(value) for key, value in kwargs.items()}
            return values.opened(method(*map(values.written, args), **given))

        self.__dict__[name] = call  # methods of a store do not change
        return call


class EncryptingStore(Encrypting):
    """A whole store. What has a meaning for the database, or is compared there, stands below."""

    def __init__(self, inner: Store, values: Values) -> None:
        super().__init__(inner, values)
        self.groups = EncryptingGroups(inner.groups, values)
        self.schedules = EncryptingSchedules(inner.schedules, values)
        for name in _HELD:
            self.__dict__[name] = Encrypting(getattr(inner, name), values)

    def add(self, jobs: Sequence[NewJob], connection: Any = None) -> list[JobRecord]:
        """Add jobs. See `Store.add`. What comes back as it was written is not decrypted again."""
        written = [self._values.written(job) for job in jobs]
        known = {new.arguments: job.arguments for new, job in zip(written, jobs, strict=True)}
        return [
            record._replace(arguments=known[record.arguments])
            if record.arguments in known and record.result is None
            else self._values.opened(record)
            for record in self._inner.add(written, connection)
        ]

    def find(
        self, where: Filter = EVERYTHING, limit: int = 100, before: str | None = None
    ) -> list[JobRecord]:
        """Find jobs. See `Store.find`."""
        _refuse_arguments(where)
        return self._values.opened(self._inner.find(where, limit, before))

    def search(self, where: Filter, limit: int, before: str | None = None) -> Found:
        """Search jobs. Raises `OptionError` for values in arguments. See `Store.search`."""
        _refuse_arguments(where)
        return self._inner.search(where, limit, before)

    def tally(self, where: Filter, limit: int, before: str | None = None) -> Tally:
        """Count jobs. Raises `OptionError` for values in arguments. See `Store.tally`."""
        _refuse_arguments(where)
        return self._inner.tally(where, limit, before)

    def edit(self, seen: JobRecord, edit: Edit) -> JobRecord | None:
        """Change a job that waits. See `Store.edit`.

        No two encrypted texts of the same arguments are equal. So those that were seen are compared
        here, and the store makes sure that the text they came of still stands there.
        """
        [*stored] = self._inner.records([seen.id])
        if not stored or self._values.read(stored[0].arguments) != seen.arguments:
            return None
        as_stored = seen._replace(arguments=stored[0].arguments)
        if edit.arguments is None or not self._are_needs([seen.id], edit.arguments):
            edit = self._values.written(edit)
        return self._values.opened(self._inner.edit(as_stored, edit))

    def retry(self, ids: Collection[str], arguments: str | None = None) -> list[JobRecord]:
        """Send ended jobs back. See `Store.retry`."""
        if arguments is not None and not self._are_needs(ids, arguments):
            arguments = self._values.write(arguments)
        return self._values.opened(self._inner.retry(ids, arguments))

    def _are_needs(self, ids: Collection[str], arguments: str) -> bool:
        """Returns whether arguments are those of steps that stores read, and not of a task."""
        return arguments.startswith(_OF_STEPS) and all(
            job.workflow is not None for job in self._inner.records(list(ids))
        )


class EncryptingGroups(Encrypting):
    """The groups of a store. The head of a group has its name for arguments, which is its key."""

    def open(self, head: NewJob) -> JobRecord:
        """Add the head of a group. See `Groups.open`."""
        return self._values.opened(self._inner.open(head))


class EncryptingSchedules(Encrypting):
    """The schedules of a store."""

    def declare(self, entries: Collection[ScheduleEntry], patience: float = 0.0) -> None:
        """Have schedules as in the code. See `Schedules.declare`.

        Arguments that stand there already keep their text: a schedule is changed only if it says
        something else.
        """
        names = [entry.name for entry in entries]
        stored = {row.name: row.arguments for row in self._inner.read(names)} if names else {}
        self._inner.declare([self._as_stored(entry, stored) for entry in entries], patience)

    def _as_stored(self, entry: ScheduleEntry, stored: Mapping[str, str]) -> ScheduleEntry:
        text = stored.get(entry.name, "")
        if is_encrypted(text) and self._values.read(text) == entry.arguments:
            return entry._replace(arguments=text)
        return self._values.written(entry)


def _refuse_arguments(where: Filter) -> None:
    """Raise `OptionError` for a filter that would look into arguments."""
    if where.arguments:
        path = ".".join(where.arguments[0][0])
        raise OptionError(
            f"args.{path} cannot be looked for: arguments are encrypted (App(cipher=...)), so the "
            f"database cannot read them; give jobs a label, and look for label.…"
        )
