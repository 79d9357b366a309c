"""Answers pushes: each accepted push is one attempt of one stored job."""

import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from fnmatch import fnmatchcase
from math import ceil

from rotulus import App, AttemptResult, State
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.states import Reason
from rotulus._text.ids import is_id
from rotulus._time.clock import Clock, SystemClock
from rotulus.errors import (
    ArgumentsError,
    ConfigurationError,
    JobNotFoundError,
    StoreCapacityError,
    StoreError,
    TokenError,
)
from rotulus.pubsub.delivery import DeliveryNotes
from rotulus.pubsub.fit import check_fit
from rotulus.pubsub.http import PushAnswer, PushRequest
from rotulus.pubsub.messages import MessageError, PushedMessage, key_of, most_bytes, read_push
from rotulus.pubsub.rejected import Kept, Rejected, Rejects
from rotulus.pubsub.route import Routing, TaskRoute
from rotulus.pubsub.settings import VARIABLES, PubSubSettings
from rotulus.pubsub.tokens import LocalVerifier, TokenVerifier, Verifier

_HOPELESS: dict[str, str] = {
    Reason.UNKNOWN_TASK: "Unknown task",
    Reason.INVALID_ARGUMENTS: "Invalid arguments",
    Reason.CORRUPT: "Invalid message data",
}
"""The answers for jobs that were given up before their task was called."""

_AGAIN = {"Retry-After": "10"}
"""The answer to a failure of the store, which passes."""

_log = logging.getLogger("rotulus.pubsub")


class PushHandler:
    """Answers the pushes of Pub/Sub, and the ticks of Cloud Scheduler, in any framework.

    A push is let in by its token. Its message names the job that is due: that job is claimed, run
    in this process, and settled. A message without a job, such as one of Cloud Scheduler's, becomes
    a job first; a second delivery leads to the same job.

    The answers:

    - 200, the job has ended, now or before, or has been deleted.
    - 400, or 204 if the settings say so: the message can never run. It is kept as a dead job. A
      process keeps a thousand such messages in an hour, and answers 400 to the others.
    - 403, the token is wrong, or the subscription is not in the settings.
    - 429, not now: the job runs elsewhere, its queue is paused, its limit has no room, another
      delivery is about to store it as a dead job, or the database has no connection left.
    - 500, the task raised.
    - 503, the store cannot be used.

    The event `PushAnswered` tells of each answer, and `app.push.deliveries()` has the last ones.

    Args:
        app: the app with the jobs; it carries the tasks of the routes: see `App.carry`.
        routes: the routes.
        verifier: lets requests in; made from the settings unless given.
        settings: the environment's unless given.
        clock: the time; only tests hand in another than the machine's.

    Raises:
        ConfigurationError: a setting is missing; or the app does not carry a task, or does not
            know it; or the numbers of a route do not fit together.
    """

    def __init__(
        self,
        app: App,
        routes: Iterable[TaskRoute],
        *,
        verifier: Verifier | None = None,
        settings: PubSubSettings | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings = settings or PubSubSettings.from_env()
        self._app = app
        self._verifier = verifier or TokenVerifier.from_settings(settings)
        self._reject_status = settings.reject_status
        self._max_bytes: int = app.settings["max_bytes"].value
        self._lease: float = app.settings["lease"].value
        self._rejects = Rejects(lambda: app.store)
        self._clock: Clock = clock or SystemClock()
        self._verdict = "local" if isinstance(self._verifier, LocalVerifier) else "verified"
        self._subscriptions = settings.subscriptions
        self._routing = Routing(routes, settings)
        self._routing.register(app.registry)
        self._check()

    @property
    def most_bytes(self) -> int:
        """The most bytes of a body: a larger one need not be read to its end."""
        return most_bytes(self._max_bytes)

    def handle(self, request: PushRequest) -> PushAnswer:
        """Answer a push. The body of a plain function runs in this thread."""
        with self._notes("push") as notes:
            try:
                self._verifier.verify(request)
                message = self._read(request, notes)
                if isinstance(message, MessageError):
                    return notes.answered(self._unreadable(message, request))
                return notes.answered(self._run(message, request, notes))
            except (TokenError, StoreError) as error:
                return _refusal(error, notes)

    async def ahandle(self, request: PushRequest) -> PushAnswer:
        """`handle`, without blocking the event loop: a coroutine runs on it, others in a thread."""
        with self._notes("push") as notes:
            try:
                await self._verifier.averify(request)
                message = self._read(request, notes)
                if isinstance(message, MessageError):
                    return notes.answered(await off_loop(self._unreadable, message, request))
                return notes.answered(await self._arun(message, request, notes))
            except (TokenError, StoreError) as error:
                return _refusal(error, notes)

    def tick(self, request: PushRequest) -> PushAnswer:
        """Do every duty once, for a caller with a valid token; the answer has the counts."""
        with self._notes("tick") as notes:
            try:
                self._verifier.verify(request)
                return notes.answered(_ticked(self._app))
            except (TokenError, StoreError) as error:
                return _refusal(error, notes)

    async def atick(self, request: PushRequest) -> PushAnswer:
        """`tick`, without blocking the event loop."""
        with self._notes("tick") as notes:
            try:
                await self._verifier.averify(request)
                return notes.answered(await off_loop(_ticked, self._app))
            except (TokenError, StoreError) as error:
                return _refusal(error, notes)

    def _notes(self, kind: str) -> DeliveryNotes:
        return DeliveryNotes(self._app.events, kind, self._verdict, self._clock)

    def _check(self) -> None:
        check_fit(self._routing.routes, self._app.registry, self._lease)
        carrier = self._app.carrier
        for route in self._routing.routes:
            if carrier is None or not carrier.carries(route.task_name):
                raise ConfigurationError(
                    f"{route!r}: the app does not carry task {route.task_name!r}: call "
                    f"app.carry(PubSubCarrier(routes)) first"
                )

    def _read(self, request: PushRequest, notes: DeliveryNotes) -> PushedMessage | MessageError:
        """Returns the message, or its problem. Raises `TokenError` for a wrong subscription."""
        try:
            found = read_push(request, self._max_bytes)
        except MessageError as error:
            found = error
        name = found.envelope.subscription
        if self._subscriptions and not any(fnmatchcase(name, one) for one in self._subscriptions):
            raise TokenError(
                f"Its subscription {name!r} is not in {VARIABLES['subscriptions'].name}"
            )
        notes.read(found)  # of a refused sender nothing is believed
        return found

    def _run(
        self, message: PushedMessage, request: PushRequest, notes: DeliveryNotes
    ) -> PushAnswer:
        if is_id(message.task_id):
            with suppress(JobNotFoundError):
                return self._answer(self._app.jobs.run(message.task_id), notes)
        received = self._receive(message, request)
        if isinstance(received, PushAnswer):
            return received
        return self._answer(self._app.jobs.run(received), notes)

    async def _arun(
        self, message: PushedMessage, request: PushRequest, notes: DeliveryNotes
    ) -> PushAnswer:
        if is_id(message.task_id):
            with suppress(JobNotFoundError):
                return self._answer(await self._app.jobs.arun(message.task_id), notes)
        received = await off_loop(self._receive, message, request)
        if isinstance(received, PushAnswer):
            return received
        return self._answer(await self._app.jobs.arun(received), notes)

    def _receive(self, message: PushedMessage, request: PushRequest) -> str | PushAnswer:
        """Returns the id of the job for a message that came without one; or the answer to it."""
        if message.is_of_stored_job:  # the job has been deleted since, and must not come back
            return PushAnswer(200, "OK")
        route = self._routing.find(message)
        if route is None:
            name, why = message.registered_name, "this task has no route"
            unfit = Rejected.unfit(message, request, name, Reason.UNKNOWN_TASK, why)
            return self._reject(unfit, "Unknown task")
        try:
            args, kwargs = message.args, message.kwargs
            return self._app.receive(route.task_name, args, kwargs, key=message.key).id
        except ArgumentsError as error:
            name, why = route.task_name, str(error)
            unfit = Rejected.unfit(message, request, name, Reason.INVALID_ARGUMENTS, why)
            return self._reject(unfit, "Invalid arguments")

    def _unreadable(self, error: MessageError, request: PushRequest) -> PushAnswer:
        text = str(error)
        return self._reject(Rejected.unreadable(key_of(error.envelope), request, text), text)

    def _reject(self, rejected: Rejected, text: str) -> PushAnswer:
        kept = self._rejects.keep(rejected)
        if kept is Kept.NOT_YET:
            return self._not_now()
        if kept is Kept.TOO_MANY:  # Pub/Sub keeps it
            _log.warning(
                "There are many such messages, and this one is not kept: %s", rejected.error
            )
            return PushAnswer(400, text)
        _log.warning("A message of task %s is kept as dead: %s", rejected.task, rejected.error)
        return self._rejection(text)

    def _rejection(self, text: str) -> PushAnswer:
        return PushAnswer(self._reject_status, "" if self._reject_status == 204 else text)

    def _answer(self, result: AttemptResult, notes: DeliveryNotes) -> PushAnswer:
        notes.ran(result)
        state, reason = result.job.state, result.job.reason
        if result.ran and state is State.DEAD and reason in _HOPELESS:
            return self._rejection(_HOPELESS[reason])
        raised = result.error is not None or state is State.FAILED
        if result.ran and raised and state is not State.DEAD:
            return PushAnswer(500, "Task failed")
        # A snoozed job has a message of its own when it is due.
        if state.ended or (result.ran and reason == Reason.SNOOZE):
            return PushAnswer(200, "OK")
        return self._not_now()

    def _not_now(self) -> PushAnswer:
        return PushAnswer(429, "Not now", {"Retry-After": str(ceil(self._lease))})


def _ticked(app: App) -> PushAnswer:
    return PushAnswer(200, json.dumps(app.tick()._asdict()))


def _refusal(error: TokenError | StoreError, notes: DeliveryNotes) -> PushAnswer:
    _log.warning("A push is refused: %s", error)
    if isinstance(error, TokenError):
        notes.refused(error)
        return notes.answered(PushAnswer(403, "Unauthorized"))
    if isinstance(error, StoreCapacityError):
        return notes.answered(PushAnswer(429, "Database at capacity", _AGAIN))
    return notes.answered(PushAnswer(503, "Store unavailable", _AGAIN))
