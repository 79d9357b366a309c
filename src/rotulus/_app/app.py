"""The app: the one place where a store, a registry and what tasks need are put together."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Literal, cast

from rotulus._app.actor import Actor, Door, acting_as
from rotulus._app.answered import AnsweredPushes
from rotulus._app.boot import Boot
from rotulus._app.calls import Calls
from rotulus._app.encrypting import check_cipher
from rotulus._app.engine import Engine, make_engine
from rotulus._app.grouping import Grouping
from rotulus._app.lifecycle import LifeCycle
from rotulus._app.log import log_events
from rotulus._app.masking import Masking
from rotulus._app.open_apps import OpenApp, open_app_of
from rotulus._app.opening import LazyStore, absolute_url, open_store, shown_url
from rotulus._app.port import AppPort
from rotulus._app.resources import (
    Audit,
    Changes,
    Failures,
    Jobs,
    Limits,
    Push,
    Queues,
    Runs,
    Schedules,
    Stats,
    Tokens,
    Webhooks,
    Workers,
)
from rotulus._app.resources.push import PushParts
from rotulus._app.roles import Role, read_role
from rotulus._app.serverless import Serverless
from rotulus._app.shortcuts import Shortcuts
from rotulus._app.ticking import Ticks
from rotulus._app.worker_runs import WorkerRuns, grace_of
from rotulus._engine.around import MiddlewareList
from rotulus._engine.single_attempts import SingleAttempts
from rotulus._jobs.encrypted import Cipher
from rotulus._jobs.log_line import LogLevel
from rotulus._jobs.middleware import Middleware
from rotulus._jobs.retry import Retry
from rotulus._tasks.injection import Factory, Injector, Scope
from rotulus._tasks.provider import Scheduler, TaskProvider
from rotulus._tasks.registry import TaskRegistry, registered_tasks
from rotulus._tasks.registry import registry as global_registry
from rotulus._text.names import refuse_unknown
from rotulus._time.clock import Clock, SystemClock
from rotulus.config import SECRETS, Setting, load_settings
from rotulus.errors import OptionError
from rotulus.events import Events
from rotulus.store import Store


@refuse_unknown
class App(LifeCycle, Calls, Grouping, Shortcuts, Serverless):
    """A store, a registry, and what tasks have injected.

    An app opens its store when that is first needed, and brings a SQLite file up to date by
    itself. Tasks of its registry hand in their jobs here until it is closed, or replaced. `with
    app:` boots it: everything is checked, the registry is frozen, and at the end it is closed.

    One app serves a registry at a time. A second one on another URL warns, and waits for its turn,
    unless it is given `replaces`. Verbs that wait for the store have a form that begins with `a`
    for coroutines, which does not block the event loop.

    Args:
        url: where jobs live: `sqlite:///jobs.db`. Unless given, `ROTULUS_URL`, else
            `[tool.rotulus]`, else `sqlite:///rotulus.db`.
        registry: its tasks; the global registry unless given.
        retry: the retry policy of tasks that have none; unless given, they are not retried.
        lease: seconds after which a worker that hangs is given up. Default 30.
        keep: how long succeeded and skipped jobs are kept. Default 7 days.
        keep_failed: how long failed, dead and cancelled jobs are kept. Default 30 days.
        keep_stats: how long statistics and the audit are kept, whatever is deleted. Default 90
            days.
        keep_logs: the least level of the log lines of tasks that are kept with their attempts, or
            `"off"`. Default `"info"`; `@task(logs=...)` says otherwise for a task.
        max_bytes: the largest arguments and the largest result, in bytes of JSON. Default 1 MiB.
        unknown_grace: seconds for which a due job of a task that its workers do not know is left to
            workers that do; then it is given up. Default 0 on SQLite, else 600.
        log_arguments: whether errors and logs may hold arguments and results: their types only,
            unless it is True.
        environment: the name of the environment, such as `"staging"`: the console shows it, so that
            nobody takes one for another.
        trace_url: the page of a trace in your tracing system, with `{trace_id}` in the place of the
            id: the console links a job to its trace.
        version: the version of your program, such as a tag or a commit: workers tell it, so that
            a deploy is seen, and which worker has not been deployed.
        mask: words of names whose values are secret, and hidden from viewers and operators of a
            service. Default: `rotulus.config.MASKED_NAMES`.
        webhook_networks: networks that webhooks may be sent to, beside public addresses: such as
            `["10.1.0.0/16"]`, or `["127.0.0.0/8"]` in tests.
        like: an app whose registry, retry policy, injection and middleware this one has, too, and
            in whose place it stands while it is open: what that app is asked and told, this one
            answers.
        replaces: the same, with a copy of injection and middleware: what is provided and used here
            is not there.
        store_of: an app whose store this one uses, and leaves open, for tasks of its own registry;
            given instead of a URL.
        cipher: encrypts arguments and results in the store; None: those of `like` and `replaces`,
            or nothing does. See `rotulus.Cipher`.
        scheduler: a scheduler outside of this process that keeps its own list, if there is one.
        clock: the time; only tests hand in another than the machine's.

    Raises:
        OptionError: an argument or setting is not allowed.

    Attributes:
        jobs: gets, finds, counts, cancels and retries jobs.
        queues: lists, pauses and resumes queues.
        limits: how many jobs of each key run and wait; sets other terms than those of the code.
        schedules: lists, adds, changes, pauses and runs schedules.
        workers: lists the workers.
        runs: gets, cancels, retries, pauses and resumes runs of workflows.
        stats: how many attempts came to what, how long they waited and ran.
        failures: jobs that failed or died, by their cause: lists, retries and deletes groups.
        audit: each verb, its actor, and how many it changed.
        webhooks: who is told of what by HTTP: adds, changes and removes webhooks.
        tokens: adds, lists and removes tokens, which let senders into services.
        push: how its jobs are pushed: the resources at Google, and what was delivered.
        changes: what happens to jobs, queues, schedules, workers, limits and failures.
        masking: hides secret values of its jobs.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        registry: TaskRegistry | None = None,
        retry: Retry | None = None,
        lease: float | None = None,
        keep: timedelta | None = None,
        keep_failed: timedelta | None = None,
        keep_stats: timedelta | None = None,
        keep_logs: LogLevel | Literal["off"] | None = None,
        max_bytes: int | None = None,
        unknown_grace: float | None = None,
        log_arguments: bool | None = None,
        environment: str | None = None,
        trace_url: str | None = None,
        version: str | None = None,
        mask: Collection[str] | None = None,
        webhook_networks: Collection[str] | None = None,
        like: "App | None" = None,
        replaces: "App | None" = None,
        store_of: "App | None" = None,
        cipher: Cipher | None = None,
        scheduler: Scheduler | None = None,
        clock: Clock | None = None,
    ) -> None:
        if store_of is not None:
            url = _url_of(store_of, url, registry, cipher)
        arguments: dict[str, Any] = {"url": url, "lease": lease, "max_bytes": max_bytes}
        arguments |= {"keep": keep, "keep_failed": keep_failed, "keep_stats": keep_stats}
        arguments |= {"unknown_grace": unknown_grace, "log_arguments": log_arguments}
        arguments |= {"keep_logs": keep_logs, "environment": environment, "mask": mask}
        arguments |= {"version": version, "trace_url": trace_url}
        arguments["webhook_networks"] = webhook_networks
        loaded = load_settings(arguments)
        self.settings: dict[str, Setting] = _shown(loaded)
        settings = {name: setting.value for name, setting in loaded.items()}
        settings["url"] = absolute_url(settings["url"])
        other = _only(registry, like, replaces)
        if clock is None and store_of is not None:
            clock = store_of._clock  # noqa: SLF001 - an app, too
        self._clock: Clock = clock or SystemClock()
        if registry is None:
            registry = other.registry if other else global_registry
        self.registry: TaskRegistry = registry
        injector, middleware = Injector(), MiddlewareList()
        if other is not None:
            there = other._own  # noqa: SLF001 - an app, too
            injector = there.injector if like else there.injector.copy()
            middleware = there.engine.middleware if like else there.engine.middleware.copy()
            retry = retry or there.engine.retry
            cipher = there.store.cipher if cipher is None else cipher
        lent = None if store_of is None else lambda: store_of.store
        check_cipher(cipher)
        store = LazyStore(settings["url"], self._clock, lambda: engine.events, cipher, lent)
        engine = make_engine(
            store, self.registry, injector, self._clock, retry, settings, middleware
        )
        self.provider = TaskProvider(self.registry, scheduler, injector)
        worker_runs = WorkerRuns(engine, settings)
        self._own = OpenApp(
            self,
            settings["url"],
            injector,
            engine,
            store,
            Boot(self.registry, engine.plans, self.provider),
            worker_runs,
            engine.singles(settings["lease"], grace_of(settings) or None),
            Ticks(lambda events: worker_runs.duties(store(), events), self._clock, engine.events),
            AnsweredPushes(engine.events, self._clock.now),
            other and other._own,  # noqa: SLF001 - an app, too
        )
        self.jobs, self.queues = Jobs(self._port, self._singles), Queues(self._port)
        self.schedules, self.workers = Schedules(self._port), Workers(self._port)
        self.failures, self.limits = Failures(self._port), Limits(self._port)
        self.runs, self.stats = Runs(self._port, self.jobs), Stats(self._port)
        self.changes, self.audit = Changes(self._port), Audit(self._port)
        self.tokens, self.push = Tokens(self._port), Push(self._push_parts)
        self.masking = Masking(settings["mask"], self.registry, lambda: self._answering().plans)
        self.webhooks = Webhooks(self._port, self.jobs, settings["webhook_networks"])
        log_events(engine.events)
        self._own.enter()

    @property
    def url(self) -> str:
        """Where its jobs live, with the password, if there is one: not to be shown to anybody."""
        return self._own.active.url

    @property
    def store(self) -> Store:
        """Where the jobs live; a SQLite file is brought up to date. Raises `StoreError`."""
        return self._own.active.store()

    @property
    def events(self) -> Events:
        """The events of this process, for subscribers. See `rotulus.events`."""
        return self._own.active.engine.events

    @property
    def tables_sql(self) -> str:
        """The SQL that makes the tables, to be applied by hand. Nothing is opened."""
        return open_store(self._own.url, self._clock).tables_sql

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

    def use(self, *middleware: Middleware) -> None:
        """Surround every enqueue and attempt of this app with middleware, the first one outermost.

        What is under way goes on as it began. Other processes have the middleware of their own
        app.

        Args:
            middleware: see `rotulus.Middleware`.

        Raises:
            OptionError: one of them is no `Middleware`, or overrides nothing.
        """
        for one in middleware:
            self._own.engine.middleware.add(one)

    def acting_as(
        self, name: str, *, door: Door = "python", role: Role | str | None = None
    ) -> AbstractContextManager[Actor]:
        """Have somebody act for the length of a block: what is steered there stands in the audit.

            with app.acting_as("ada"):
                app.queues.pause("mail")

        It holds for this thread and its coroutines, and for every app. An inner block has its own
        actor.

        Args:
            name: who acts: printable text of 1 to 200 characters.
            door: where: `python`, `cli`, `http`, `mcp` or `django`.
            role: the role that they have there; None where no role is asked for.

        Raises:
            OptionError: an argument is not allowed.
        """
        return acting_as(Actor(name, door, None if role is None else read_role(role)))

    def reserve(self, kind: Any, remedy: str) -> None:
        """Reserve a type: calls cannot give its parameters, although this app provides no value.

        One that has a default keeps it. One that has none cannot be filled, and the app does not
        boot: the message ends with the remedy.

        Args:
            kind: the type; what `provide` says of it before or afterwards counts.
            remedy: what to do to have a value for it.
        """
        self._own.injector.reserve(kind, remedy)
        self._own.engine.plans.forget()

    def __repr__(self) -> str:
        return f"<App {self._own.store.shown} with {len(self.registry)} tasks>"

    def _answering(self) -> Engine:
        return self._own.active.engine

    def _port(self) -> AppPort:
        return self._answering().port

    def _singles(self) -> SingleAttempts:
        return self._own.active.singles

    def _push_parts(self) -> PushParts:
        app = self._own.active
        carrier, lease = app.engine.outbox_relay.carrier, self.settings["lease"].value
        return PushParts(carrier, app.answered, app.engine.registry, lease)


def current_app(registry: TaskRegistry = global_registry) -> App:
    """Returns the open app that the tasks of a registry hand their jobs to.

    Args:
        registry: the tasks; those of the global registry unless given.

    Raises:
        NoAppError: no app is open for them.
    """
    registered_tasks(registry).port()  # raises when there is none
    found = open_app_of(registry)
    return cast("App", found and found.app)


def _shown(settings: dict[str, Setting]) -> dict[str, Setting]:
    """Returns the settings as they may be shown: without a password or a token."""
    url = settings["url"]
    shown = {name: settings[name]._replace(value="…") for name in SECRETS}
    secrets = {name: setting for name, setting in shown.items() if settings[name].value is not None}
    return settings | {"url": url._replace(value=shown_url(url.value))} | secrets


def _only(registry: TaskRegistry | None, like: App | None, replaces: App | None) -> App | None:
    """Returns the app whose tasks are served. Raises `OptionError` for several arguments."""
    if sum(one is not None for one in (registry, like, replaces)) > 1:
        raise OptionError(
            "Give one of registry=, like= and replaces=: an app that is like another one, or "
            "replaces it, has its registry"
        )
    return like or replaces


def _url_of(
    store_of: App, url: str | None, registry: TaskRegistry | None, cipher: Cipher | None
) -> str:
    """Where the store of another app is. Raises `OptionError` when it does not fit the rest."""
    if cipher is not None:
        raise OptionError(
            "cipher= does not go with store_of=: that app has the cipher of its store"
        )
    if url is not None or registry is None or registry is store_of.registry:
        raise OptionError(
            "store_of= stands in the place of url=, and goes with a registry= of its own"
        )
    return store_of.url
