"""The program: its commands, loaded when they are used, and its exit codes."""

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from rotulus.cli.front import behind_command
from rotulus.cli.hints import Commands, no_option
from rotulus.cli.streams import INTERRUPTED, leave_streams, prepare_streams
from rotulus.client.problems import (
    NoServiceError,
    ServiceRefusedError,
    ServiceUnreachableError,
)
from rotulus.errors import (
    AccessTokenConflictError,
    AccessTokenNotFoundError,
    ArgumentsError,
    ArtifactNotFoundError,
    ConfigurationError,
    GroupError,
    GroupNotFoundError,
    JobConflictError,
    JobFailedError,
    JobNotFoundError,
    OptionError,
    ResultTimeoutError,
    RotulusError,
    ScheduleConflictError,
    ScheduleNotFoundError,
    SchemaError,
    StepNotFoundError,
    StoreError,
    TaskNotFoundError,
    WebhookConflictError,
    WebhookNotFoundError,
    WorkerNotFoundError,
)

COMMANDS = {
    "audit": ("audit", "Show each verb, its actor, and how many it changed."),
    "cancel": ("retry_cancel", "Cancel jobs that wait or run."),
    "check": ("admin", "Check everything a worker needs."),
    "close": ("closing", "Close a group: its callback runs when all of its jobs have ended."),
    "config": ("admin", "The settings, and where each comes from."),
    "cron": ("cron", "Look at cron expressions."),
    "delete": ("retry_cancel", "Delete jobs that have ended."),
    "demo": ("demo", "Look around: a shop with two weeks of history, and its console."),
    "dev": ("dev", "Run a worker, and start it again when a source file changes."),
    "drain": ("drain", "Let workers finish what they run, and end."),
    "edit": ("edit", "Change the arguments, the priority or the moment of a job that waits."),
    "enqueue": ("call", "Store a job of a task."),
    "failures": ("failures", "Failed and dead jobs, by what they failed of."),
    "gcp": ("gcp", "Make Google's topics and schedules what the routes of an app need."),
    "graph": ("graph", "Draw a workflow or a run: as Mermaid, or as SVG."),
    "limits": ("limits", "Who holds the keys of limits; set their terms while workers run."),
    "logs": ("log_lines", "What the attempts of a job have logged."),
    "ls": ("ls", "List tasks, jobs, runs, queues, schedules or workers."),
    "mcp": ("mcp", "Let an assistant look into an app, over MCP."),
    "migrate": ("admin", "Bring the store's tables up to this version."),
    "pause": ("pausing", "Claim no more jobs of a queue, or of a run."),
    "reprioritise": ("retry_cancel", "Give jobs that wait another priority."),
    "resume": ("pausing", "Claim jobs of a queue or a run again."),
    "retry": ("retry_cancel", "Send failed, dead and cancelled jobs back."),
    "run": ("call", "Run a task here and now."),
    "schedule": ("schedules", "Show, add, change, pause, resume, remove and run schedules."),
    "serve": ("serve", "Serve an app over HTTP, or an application of yours."),
    "show": ("show", "One job, or a run of a workflow with its steps."),
    "skip": ("skipping", "Go on without a step of a run."),
    "stats": ("stats", "The outcomes of attempts, and how long they waited and ran."),
    "store": ("store", "Where the jobs live, and how much room they take."),
    "token": ("tokens", "Add, list and remove tokens, which let senders into a service."),
    "top": ("top", "Watch queues, workers and failures while they change."),
    "webhook": ("webhooks", "Add, change, remove and test webhooks, and see deliveries."),
    "why": ("show", "Why a job has not run yet, or how it ended."),
    "worker": ("worker", "Run jobs and fire schedules."),
}
"""Each command: the module of this package that holds it, and what it does."""

EXIT_CODES: tuple[tuple[type[RotulusError], int], ...] = (
    (JobFailedError, 1),
    (ArgumentsError, 2),
    (OptionError, 2),
    (TaskNotFoundError, 5),
    (StepNotFoundError, 5),
    (ConfigurationError, 3),
    (SchemaError, 7),
    (StoreError, 4),
    (JobNotFoundError, 5),
    (JobConflictError, 3),
    (GroupNotFoundError, 5),
    (GroupError, 3),
    (ScheduleNotFoundError, 5),
    (ScheduleConflictError, 3),
    (AccessTokenNotFoundError, 5),
    (AccessTokenConflictError, 3),
    (WebhookNotFoundError, 5),
    (WebhookConflictError, 3),
    (ArtifactNotFoundError, 5),
    (WorkerNotFoundError, 5),
    (ResultTimeoutError, 6),
    (ServiceUnreachableError, 4),
    (ServiceRefusedError, 3),
    (NoServiceError, 3),
    (RotulusError, 1),
)
"""The exit code of each error; the first that fits.

An `OptionError` is about a word of the command: see `rotulus.cli.configured`.
"""


class _Program(Commands):
    """A group whose commands are imported when they are used, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click asks
        return sorted(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - as click asks
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(f"rotulus.cli.{COMMANDS[cmd_name][0]}"), cmd_name)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - as click asks
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(COMMANDS.items())])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            raise no_option(error) from None
        except BrokenPipeError:
            leave_streams()
            sys.exit(0)
        except RotulusError as error:
            if ctx.meta.get("rotulus.traceback"):
                traceback.print_exception(error)
            click.echo(f"rotulus: {_sentence(error)}", err=True)
            sys.exit(exit_code(error))

    def main(self, args: Sequence[str] | None = None, *rest: Any, **kwargs: Any) -> Any:
        prepare_streams()
        try:
            words = behind_command(sys.argv[1:] if args is None else args, self)
            code = super().main(words, *rest, **{**kwargs, "standalone_mode": False})
            sys.stdout.flush()
        except click.NoSuchOption as error:  # in front of a command
            no_option(error).show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("Interrupted.", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            leave_streams()
            sys.exit(0)
        sys.exit(code)


def _sentence(error: RotulusError) -> str:
    """Returns what is said about an error; to whom a service refuses: where a token is given."""
    if isinstance(error, ServiceRefusedError):
        return f"{error} Commands send the token of the variable ROTULUS_TOKEN."
    return str(error)


def exit_code(error: RotulusError) -> int:
    """Returns the exit code of an error."""
    return next(code for kind, code in EXIT_CODES if isinstance(error, kind))


@click.group(
    cls=_Program,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 the job failed, 2 wrong usage, 3 wrong configuration, 4 store "
    "or service unreachable, 5 not found, 6 timed out waiting, 7 migrations needed, "
    "130 interrupted.",
)
@click.version_option(package_name="rotulus", message="rotulus %(version)s")
def main() -> None:
    """Rotulus: declare a task once; then call it, queue it, schedule it.

    The app is module:app. Give it as the argument of dev and worker, with --app elsewhere, in
    ROTULUS_APP, or as app = "module:app" under [tool.rotulus] in pyproject.toml. --app and --url
    may stand in front of the command, too.
    """
