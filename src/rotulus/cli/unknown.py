"""Messages about unknown commands and options: the existing ones, in their place."""

from collections.abc import Collection, Sequence

import click

from rotulus.cli.hints import nearest

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
    "--workers": "--processes",
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
        hint = nearest(name, [*known, *within]) or "."
    return click.UsageError(f"No such command {name!r}{hint} There are: {', '.join(known)}", ctx)


def no_option(error: click.NoSuchOption) -> click.UsageError:
    """Returns the error for an option that there is not."""
    known = _options(error.ctx)
    meant = _OPTIONS.get(error.option_name)
    hint = f"; did you mean {meant!r}?" if meant in known else nearest(error.option_name, known)
    there = f" There are: {', '.join(known)}" if known else ""
    return click.UsageError(f"No such option {error.option_name!r}{hint or '.'}{there}", error.ctx)


def _options(ctx: click.Context | None) -> Collection[str]:
    if ctx is None:
        return []
    shown = [p for p in ctx.command.get_params(ctx) if isinstance(p, click.Option) and not p.hidden]
    return [max(option.opts, key=len) for option in shown]
