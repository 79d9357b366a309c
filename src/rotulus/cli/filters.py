"""The options by which jobs are chosen, the same for all commands that list or change them."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from rotulus import App, State
from rotulus.cli.hints import no_queue, no_schedule, no_task
from rotulus.cli.job_ids import find_run
from rotulus.cli.values import by_name, read_labels, when_option

F = TypeVar("F", bound=Callable[..., Any])


def filter_options(states: Sequence[State]) -> Callable[[F], F]:
    """The options that `read_filters` reads.

    Args:
        states: the states that may be chosen.
    """
    options = (
        click.option(
            "--state", "states", multiple=True, type=click.Choice([str(s) for s in states])
        ),
        click.option("--task", help="Only jobs of this task; 'mail.*' for all that begin so."),
        click.option("--queue", help="Only jobs of this queue."),
        click.option("--key", help="Only jobs with this unique key."),
        click.option("--schedule", help="Only jobs that this schedule has fired."),
        click.option("--run", help="Only jobs of this run of a workflow."),
        click.option("--worker", help="Only jobs that this worker has, or had last."),
        click.option("--error", metavar="TEXT", help="Only jobs whose error says this."),
        click.option("--fingerprint", help="Only jobs that failed with this fingerprint."),
        when_option("--since", "Only jobs added since then"),
        when_option("--until", "Only jobs added before then"),
        click.option(
            "--label",
            "labels",
            multiple=True,
            metavar="NAME=TEXT",
            help="Only jobs with this label.",
        ),
        click.option(
            "--args",
            multiple=True,
            metavar="PATH=VALUE",
            help="Only jobs with this in their arguments, such as order.id=42.",
        ),
    )

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def read_filters(app: App, given: dict[str, Any]) -> dict[str, Any]:
    """Returns filters as `app.jobs` takes them, without those that were not given."""
    filters = {
        **given,
        "state": list(given["states"]) or None,
        "run": find_run(app, given["run"]).id if given["run"] else None,
        "label": read_labels(given["labels"]),
        "args": by_name(map(_read_arg, given["args"]), "--args") or None,
    }
    del filters["states"], filters["labels"]
    return {name: value for name, value in filters.items() if value is not None}


def say_hints(app: App, filters: dict[str, Any]) -> str:
    """Returns lines about names of filters that do not exist, to be read by a person."""
    task = filters.get("task", "")
    hints = (
        no_task(app, None if task.endswith("*") else task or None),
        no_queue(app, filters.get("queue")),
        no_schedule(app, filters.get("schedule")),
    )
    return "\n".join(filter(None, hints))


def _read_arg(word: str) -> tuple[str, Any]:
    """A path in the arguments, and the value there: JSON, or else a text."""
    path, equals, text = word.partition("=")
    if not equals or not path:
        raise click.BadParameter(
            f"{word!r} is not PATH=VALUE: write order.id=42, or name=Ada for a text",
            param_hint="--args",
        )
    try:
        return path, json.loads(text)
    except ValueError:
        return path, text
