"""Hints about names that do not exist: the nearest one, and those that exist."""

from collections.abc import Collection, Sequence

import click

from rotulus import App
from rotulus._text.names import did_you_mean
from rotulus.cli.front import FRONT
from rotulus.store import Total

_COMMANDS = {
    "beat": "worker",
    "flush": "cancel",
    "inspect": "show",
    "init": "migrate",
    "list": "ls",
    "purge": "cancel",
    "requeue": "retry",
    "result": "show",
    "start": "worker",
    "status": "show",
    "upgrade": "migrate",
}
"""Our commands by words that others have for them."""

_OPTIONS = {
    "--autoscale": "--slots",
    "--concurrency": "--slots",
    "--countdown": "--in",
    "--delay": "--in",
    "--eta": "--at",
    "--hostname": "--name",
    "--loglevel": "--log",
    "--max-memory-per-child": "--recycle-memory",
    "--max-tasks-per-child": "--recycle-jobs",
    "--status": "--state",
    "--threads": "--slots",
    "--time-zone": "--timezone",
    "--workers": "--processes",
    "--zone": "--timezone",
    "-A": "--app",
    "-Q": "--queues",
    "-c": "--slots",
    "-l": "--log",
    "-n": "--name",
}
"""Our options by words that others have for them."""

LISTS = ("jobs", "queues", "schedules", "tasks", "workers", "workflows")
"""The lists of `rotulus ls`."""


class Commands(click.Group):
    """A group that says which commands it has when it is given another one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the command that is meant, and the words for it."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            raise _no_command(ctx, args[0], known)
        return super().resolve_command(ctx, args)


def _no_command(ctx: click.Context, name: str, known: Sequence[str]) -> click.UsageError:
    within = [] if ctx.parent else [f"ls {what}" for what in LISTS]
    meant = _COMMANDS.get(name)
    if meant in known:
        hint = f"; did you mean {meant!r}?"
    elif f"ls {name}" in within:
        hint = f"; did you mean '{ctx.command_path} ls {name}'?"
    else:
        hint = did_you_mean(name, [*known, *within]) or "."
    return click.UsageError(f"No such command {name!r}{hint} There are: {', '.join(known)}", ctx)


def no_option(error: click.NoSuchOption) -> click.UsageError:
    """Returns the error for an option that there is not."""
    known = _options(error.ctx)
    if error.ctx is not None and error.ctx.parent is None:
        return click.UsageError(_in_front(error.option_name), error.ctx)
    meant = _OPTIONS.get(error.option_name)
    hint = (
        f"; did you mean {meant!r}?" if meant in known else did_you_mean(error.option_name, known)
    )
    if error.option_name == "--app" and error.ctx is not None and _takes_app(error.ctx):
        hint = f": the app is an argument, as in '{error.ctx.command_path} MODULE:APP'."
    there = f" There are: {', '.join(known)}" if known else ""
    return click.UsageError(f"No such option {error.option_name!r}{hint or '.'}{there}", error.ctx)


def _in_front(name: str) -> str:
    """Returns what is wrong with an option in front of a command."""
    if name in FRONT:
        return f"{name!r} needs a value, and a command behind it, as in 'rotulus {name} … ls jobs'"
    return (
        f"{name!r} is no option in front of a command: {', '.join(FRONT)}, --version and --help "
        f"may stand there, and the others behind it, as in 'rotulus ls jobs --json'"
    )


def _takes_app(ctx: click.Context) -> bool:
    return any(isinstance(p, click.Argument) and p.name == "target" for p in ctx.command.params)


def _options(ctx: click.Context | None) -> Collection[str]:
    if ctx is None:
        return []
    shown = [p for p in ctx.command.get_params(ctx) if isinstance(p, click.Option) and not p.hidden]
    return [max(option.opts, key=len) for option in shown]


_ALWAYS = 2**62
"""A moment after all others."""

_LISTED = 12
"""How many names are listed; of more, only some."""


def listed(names: Collection[str]) -> str:
    """Returns some names in their order, with commas; `none` of none."""
    more = ", …" if len(names) > _LISTED else ""
    return f"{', '.join(sorted(names)[:_LISTED])}{more}" if names else "none"


def no_queue(app: App, queue: str | None) -> str | None:
    """Returns a sentence if no task uses a queue and no job has ever been in it; else None."""
    if queue is None or queue in _declared_queues(app) or app.jobs(queue=queue, limit=1):
        return None  # most are: nothing has to be counted
    fleet = app.store.fleet()
    known = {total.queue for total in _counted(app)} | _declared_queues(app)
    known |= {name for worker in fleet.workers for name in worker.queues or ()}
    if queue in known:
        return None
    return (
        f"No job has ever been in queue {queue!r}"
        f"{did_you_mean(queue, known) or '.'} Queues here: {listed(known)}."
    )


def no_task(app: App, task: str | None) -> str | None:
    """Returns a sentence if no task has a name and no job is of it; else None."""
    if task is None or app.registry.has(task):
        return None
    known = {total.task for total in _counted(app)} | set(app.registry.list_all())
    if task in known or app.jobs(task=task, limit=1):
        return None
    return (
        f"There is no task {task!r} here, nor a job of one"
        f"{did_you_mean(task, known) or '.'} Tasks here: {listed(known)}."
    )


def no_schedule(app: App, schedule: str | None) -> str | None:
    """Returns a sentence if neither the code nor the store has a schedule; else None."""
    if schedule is None or schedule in app.provider.schedule:
        return None
    known = {*app.provider.schedule, *(row.name for row in app.store.schedules.read())}
    if schedule in known:
        return None
    return (
        f"There is no schedule {schedule!r} here"
        f"{did_you_mean(schedule, known) or '.'} Schedules here: {listed(known)}."
    )


def _counted(app: App) -> Sequence[Total]:
    """Returns the tasks and queues of which a job was ever added, from what has been counted."""
    return app.store.stats.totals(0, _ALWAYS)


def _declared_queues(app: App) -> set[str]:
    """Returns the queues that the tasks of an app wait under, unless an enqueue says otherwise."""
    return {task.options.queue for task in app.registry}
