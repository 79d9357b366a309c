"""`manage.py provision_tasks`: makes at Google what the routes of a `PubSubBackend` need."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from rotulus.cli.gcp import apply_plan, print_plan
from rotulus.cli.main import exit_code
from rotulus.django.pubsub import the_backend
from rotulus.errors import ConfigurationError, RotulusError


class Command(BaseCommand):
    """Creates and changes topics, push subscriptions and scheduler jobs. Twice does no harm.

    It is meant for the start of a container on Cloud Run, which sets `K_SERVICE`; elsewhere it does
    nothing unless it is forced. What fails for one route is told, and the others are done. It ends
    with the exit codes of `rotulus gcp apply`.
    """

    help = "Make at Google what the routes need: topics, push subscriptions and scheduler jobs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where it may run, and what it prints."""
        parser.add_argument(
            "--force", action="store_true", help="Also where K_SERVICE is not set, as on a laptop."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Print what would be done, and do nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, **options: Any) -> None:
        """Do it. Raises `CommandError`, with an exit code that says what is wrong."""
        if not (options["force"] or options["dry_run"] or os.environ.get("K_SERVICE")):
            self.stderr.write(
                "Nothing was done: this is not Cloud Run, as K_SERVICE is not set. Use --dry-run "
                "to see what would be done, or --force to do it from here."
            )
            return
        try:
            _provision(dry_run=options["dry_run"], as_json=options["json"])
        except (RotulusError, ImproperlyConfigured) as error:
            code = exit_code(error) if isinstance(error, RotulusError) else 3
            raise CommandError(str(error), returncode=code) from error


def _provision(*, dry_run: bool, as_json: bool) -> None:
    backend = the_backend()
    if backend is None:
        raise ConfigurationError(
            "No backend of settings.TASKS is a rotulus.django.PubSubBackend, so Google Pub/Sub "
            "delivers nothing of this project"
        )
    if dry_run:
        print_plan(backend.app, as_json=as_json)
    else:
        apply_plan(backend.app, yes=True, as_json=as_json)
