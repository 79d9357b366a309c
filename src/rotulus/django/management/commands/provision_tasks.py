"""`manage.py provision_tasks`: creates Google's resources for the routes of a `PubSubBackend`."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from rotulus.cli.configured import configured
from rotulus.cli.gcp import apply_plan, print_plan
from rotulus.cli.main import exit_code
from rotulus.django.pubsub import the_backend
from rotulus.errors import ConfigurationError, RotulusError


class Command(BaseCommand):
    """Creates and changes topics, push subscriptions and scheduler jobs. It may run twice.

    Run it when a container starts on Cloud Run, which sets `K_SERVICE`. Elsewhere it does nothing
    unless it is forced. A failure for one route is reported, and the other routes are done. The
    exit codes are those of `rotulus gcp apply`.
    """

    help = "Create Google's topics, push subscriptions and scheduler jobs for the routes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options for the place to run, and for the output."""
        parser.add_argument(
            "--force", action="store_true", help="Also where K_SERVICE is not set, as on a laptop."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Print what would be done, and do nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, **options: Any) -> None:
        """Provision. Raises `CommandError`, with an exit code for the problem."""
        if not (options["force"] or options["dry_run"] or os.environ.get("K_SERVICE")):
            self.stderr.write(
                "Nothing was done: this is not Cloud Run, as K_SERVICE is not set. Use --dry-run "
                "to see what would be done, or --force to do it from here."
            )
            return
        try:
            with configured():
                _provision(dry_run=options["dry_run"], as_json=options["json"])
        except (RotulusError, ImproperlyConfigured) as error:
            code = exit_code(error) if isinstance(error, RotulusError) else 3
            raise CommandError(str(error), returncode=code) from error


def _provision(*, dry_run: bool, as_json: bool) -> None:
    backend = the_backend()
    if backend is None:
        raise ConfigurationError(
            "No backend of settings.TASKS is a rotulus.django.PubSubBackend, so Google Pub/Sub "
            "delivers no task of this project"
        )
    if dry_run:
        print_plan(backend.app, as_json=as_json)
    else:
        apply_plan(backend.app, yes=True, as_json=as_json)
