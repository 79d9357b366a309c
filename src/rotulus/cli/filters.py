"""The options by which jobs are chosen, the same for all commands that list or change them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from rotulus import App, State
from rotulus.cli.hints import no_queue, no_schedule, no_task
from rotulus.cli.job_ids import find_run
from rotulus.cli.values import refused, when_option
from rotulus.filters import JOB_FILTERS, FilterInfo, FilterKind, read_words

F = TypeVar("F", bound=Callable[..., Any])

_WORDS = {
    FilterKind.LABEL: "NAME=TEXT",
    FilterKind.ARGUMENT: "PATH=VALUE",
}
_NAMES = {"error": "TEXT"}


def filter_options(states: Sequence[State]) -> Callable[[F], F]:
    """The options that `read_filters` reads.

    Args:
        states: the states that may be chosen.
    """

    def add(command: F) -> F:
        for one in reversed(JOB_FILTERS):
            command = _option(one, states)(command)
        return command

    return add


def _option(one: FilterInfo, states: Sequence[State]) -> Callable[[F], F]:
    name, help_text = f"--{one.name}", f"Only {one.meaning}."
    if one.kind is FilterKind.STATE:
        choice = click.Choice([str(state) for state in states])
        return click.option(name, multiple=True, type=choice, help=help_text)
    if one.kind is FilterKind.MOMENT:
        return when_option(name, f"Only {one.meaning}")
    if one.kind is FilterKind.ARGUMENT:
        help_text = f"Only {one.meaning}, such as order.id=42."
    metavar = _WORDS.get(one.kind) or _NAMES.get(one.name)
    return click.option(name, multiple=one.repeats, metavar=metavar, help=help_text)


def read_filters(app: App, given: dict[str, Any]) -> dict[str, Any]:
    """Returns filters as `app.jobs` takes them, without those that were not given."""
    filters = dict(given)
    for one in JOB_FILTERS:
        if one.repeats:
            with refused(f"--{one.name}"):
                filters[one.name] = read_words(one, given[one.name])
    if given["run"]:
        filters["run"] = find_run(app, given["run"]).id
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
