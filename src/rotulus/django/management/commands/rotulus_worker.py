"""`manage.py rotulus_worker`: runs the jobs of a `DatabaseBackend`."""

import logging
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils.autoreload import StatReloader, autoreload_started, get_child_arguments

from rotulus import App
from rotulus._text.names import did_you_mean
from rotulus.cli.configured import configured, settings_with
from rotulus.cli.importing import place_of
from rotulus.cli.init import leave_init
from rotulus.cli.logs import LineFormatter, name_jobs
from rotulus.cli.main import exit_code
from rotulus.cli.reload import Reloader
from rotulus.cli.worker import needs_supervisor
from rotulus.cli.worker import worker as worker_command
from rotulus.django.app import worker_app
from rotulus.django.backend import DatabaseBackend
from rotulus.django.compat import task_backends
from rotulus.django.connections import missing_tables
from rotulus.django.discovery import import_task_modules
from rotulus.errors import ConfigurationError, RotulusError, SchemaError

logger = logging.getLogger("rotulus")

_PER_PROCESS = ("queues", "slots", "lease", "drain", "recycle_jobs", "recycle_memory")
_OPTIONS = (*_PER_PROCESS, "processes", "burst", "name")
"""The options that this command shares with `rotulus worker`."""

_WRONG_SETTING = 3
"""The exit code for wrong settings, as for a `ConfigurationError`."""

_LEVELS = {0: logging.WARNING, 1: logging.INFO}
"""The least level that is logged, by the verbosity; beyond these, everything is."""


class Command(BaseCommand):
    """Runs jobs, fires schedules and takes back the jobs of dead workers, until it is stopped.

    SIGTERM or Ctrl-C lets running jobs finish; a second signal gives them back at once. The exit
    codes are those of `rotulus worker`.
    """

    help = "Run enqueued tasks until stopped: SIGTERM lets running jobs finish."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options of `rotulus worker`, in the same words, and the backend."""
        parser.add_argument(
            "--backend", default="default", metavar="ALIAS", help="The backend, a key of TASKS."
        )
        _add_options(parser, worker_command, _OPTIONS)
        parser.add_argument(
            "--no-reload",
            action="store_true",
            help="Do not start again when code changes, as it does while DEBUG is set.",
        )
        parser.add_argument("--parent", type=int, help=SUPPRESS)

    def handle(self, **options: Any) -> None:
        """Work. Raises `CommandError`, with an exit code for the reason of its end."""
        if options["parent"] is None:
            leave_init()
        _set_up_logging(options["verbosity"])
        try:
            with ExitStack() as opened:
                with configured():
                    backend = _backend(options["backend"])
                    if self._reloads(options):
                        sys.exit(_reloader().run())
                    _import_tasks()
                    app = opened.enter_context(_app(backend))
                if options["parent"] is None:
                    _warn_of_queues(backend, options["queues"])
                self._work(app, options)
        except RotulusError as error:
            raise CommandError(str(error), returncode=exit_code(error)) from error
        except ImproperlyConfigured as error:
            raise CommandError(str(error), returncode=_WRONG_SETTING) from error

    def _reloads(self, options: dict[str, Any]) -> bool:
        """Returns whether another process should work, to be started again when code changes."""
        to_the_end = options["burst"] or options["no_reload"] or options["name"]
        return settings.DEBUG and self._is_program and not to_the_end and options["parent"] is None

    def _work(self, app: App, options: dict[str, Any]) -> None:
        per_process = {name: options[name] for name in _PER_PROCESS}
        chosen = settings_with(per_process | {"processes": options["processes"]})
        if options["parent"] is None and needs_supervisor(chosen):
            app.supervise(
                self._command(),
                processes=options["processes"],
                lease=options["lease"],
                drain=options["drain"],
                burst=options["burst"],
                name=options["name"],
            )
            return
        per_process["queues"] = chosen["queues"].value if options["queues"] else None
        app.run_worker(
            **per_process, burst=options["burst"], name=options["name"], parent=options["parent"]
        )

    def _command(self) -> Sequence[str]:
        """Returns this command, for one process of several."""
        if not self._is_program:
            raise ConfigurationError(
                "processes and recycling start manage.py again, so they are for its command line: "
                "call_command('rotulus_worker') runs one process"
            )
        return [str(word) for word in get_child_arguments()]

    @property
    def _is_program(self) -> bool:
        """Returns whether this process is this command, and not a program that calls it."""
        return getattr(self, "_called_from_command_line", False)


def _backend(alias: str) -> DatabaseBackend:
    """Returns the backend of an alias. Raises `ConfigurationError` if it needs no worker."""
    known = list(task_backends.settings)
    if alias not in known:
        raise ConfigurationError(
            f"There is no backend {alias!r} in settings.TASKS{did_you_mean(alias, known) or '.'} "
            f"There are: {', '.join(known)}"
        )
    backend = task_backends[alias]
    if not isinstance(backend, DatabaseBackend):
        raise ConfigurationError(
            f"The tasks of TASKS[{alias!r}] need no worker of Rotulus: its backend is "
            f"{type(backend).__name__}, and this is for rotulus.django.DatabaseBackend; another "
            f"one can be given as --backend"
        )
    return backend


def _import_tasks() -> None:
    """Import the task modules of the installed apps."""
    try:
        import_task_modules()
    except ImproperlyConfigured:
        raise
    except Exception as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ConfigurationError(
            f"Importing the tasks of the installed apps failed: {type(error).__name__}: {said} "
            f"({place_of(error)}); --traceback shows the way there"
        ) from error


def _app(backend: DatabaseBackend) -> App:
    """Returns an app for its jobs. The tables have to exist: a worker would make them in a file."""
    try:
        backend.app.store.backlog(1)
    except SchemaError:
        raise SchemaError(missing_tables(backend.database)) from None
    finally:
        connections.close_all()  # the worker's threads have other connections
    return worker_app(backend.database)


def _warn_of_queues(backend: DatabaseBackend, queues: str | None) -> None:
    """Warn of queues that no task of the backend can be in: the names may be misspelt."""
    for queue in settings_with({"queues": queues})["queues"].value or ():
        if backend.queues and queue not in backend.queues:
            logger.warning(
                "TASKS[%r] has no queue %r%s",
                backend.alias,
                queue,
                did_you_mean(queue, backend.queues) or ".",
            )


def _set_up_logging(verbosity: int) -> None:
    """Show our lines on standard error, unless `settings.LOGGING` configures our logger."""
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(LineFormatter(full=False, colours=sys.stderr.isatty()))
        logger.addHandler(handler)
    if logger.level == logging.NOTSET:
        logger.setLevel(_LEVELS.get(verbosity, logging.DEBUG))
    name_jobs()


def _reloader() -> Reloader:
    """Returns the reloader of this command, which watches the files that Django watches."""
    watched = StatReloader()
    autoreload_started.send(sender=watched)  # apps name further files to watch
    command = [*map(str, get_child_arguments()), "--no-reload"]
    return Reloader(command, Path.cwd(), further=watched.watched_files)


def _add_options(parser: ArgumentParser, command: click.Command, names: Collection[str]) -> None:
    """Add options of a command of `rotulus` to a parser of Django's.

    Args:
        parser: the parser.
        command: the command of `rotulus` with these options.
        names: the options to add. An option that is not given is None, or False if it is a flag.
    """
    for option in command.params:
        if isinstance(option, click.Option) and option.name in names:
            _add_option(parser, option)


def _add_option(parser: ArgumentParser, option: click.Option) -> None:
    if option.is_flag:
        parser.add_argument(*option.opts, action="store_true", help=option.help)
    else:
        metavar = option.metavar or (option.name or "").rpartition("_")[2].upper()
        parser.add_argument(*option.opts, type=_reader(option), metavar=metavar, help=option.help)


def _reader(option: click.Option) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return option.type.convert(text, option, None)
        except click.UsageError as error:
            raise ArgumentTypeError(error.message) from None

    return read
