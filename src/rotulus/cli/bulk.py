"""What commands that change many jobs have in common: which jobs are meant, a question, a bar."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import click

from rotulus import App, BulkProgress, Changed, Job
from rotulus._progress import Meter
from rotulus._text.words import many
from rotulus.cli.filters import read_filters, say_hints
from rotulus.cli.job_ids import find_job
from rotulus.cli.output import json_option, print_json
from rotulus.cli.streams import ask
from rotulus.cli.target import app_options
from rotulus.errors import JobNotFoundError, RotulusError

F = TypeVar("F", bound=Callable[..., Any])

AT_ONCE = 500
SHOWN = 20
"""Of how many jobs more than their number is told."""


class Verb(NamedTuple):
    """What is done to jobs.

    Attributes:
        name: the word for it.
        doing: the word while it is done.
        meant: what the jobs are like that it is for, as the end of "No job ...".
        act: does it, to ids or by filters, as the verbs of `app.jobs` do.
    """

    name: str
    doing: str
    meant: str
    act: Callable[..., Changed]


class How(NamedTuple):
    """How a command goes about it: it only says what it would do; it asks nobody; in JSON."""

    dry_run: bool
    yes: bool
    as_json: bool


def bulk_options(command: F) -> F:
    """`--dry-run` and `--yes`, `--json`, and those of all commands that look at jobs."""
    dry_run = click.option("--dry-run", is_flag=True, help="Only say which jobs it would be.")
    yes = click.option("--yes", is_flag=True, help="Do not ask.")
    return dry_run(yes(json_option(app_options(command))))


def check_chosen(verb: str, ids: Sequence[str], given: Mapping[str, Any]) -> None:
    """Raise a `UsageError` where neither ids nor filters are given: before a store is opened."""
    if not ids and not any(value for name, value in given.items() if name not in How._fields):
        raise click.UsageError(f"Which jobs? Give their ids, or choose them: rotulus {verb} --help")


def change(app: App, verb: Verb, ids: Sequence[str], given: dict[str, Any]) -> Changed | None:
    """Do something to the jobs that are meant; returns those; None if it was only tried.

    Args:
        app: the app.
        verb: what to do.
        ids: words that stand for jobs.
        given: the filters, as options, with `dry_run`, `yes` and `as_json`.
    """
    how = How(*(given.pop(name) for name in How._fields))
    filters = read_filters(app, given)
    if ids and filters:
        raise click.UsageError("Give ids, or choose jobs by options, and not both")
    chosen = known(app, ids)
    if chosen and how.dry_run:
        return _tell(verb, verb.act(*chosen, dry_run=True), how)
    return _by_ids(verb, chosen) if chosen else by_filters(app, verb, filters, how)


def by_filters(
    app: App, verb: Verb, filters: dict[str, Any], how: How, about: str = ""
) -> Changed | None:
    """Do something to jobs by filters, as `app.jobs` takes them; as `change` otherwise.

    Args:
        app: the app.
        verb: what to do.
        filters: which jobs.
        how: how to go about it.
        about: what is said of the jobs, as in "Would retry 2 jobs that failed so".
    """
    found = verb.act(dry_run=True, **filters)
    if how.dry_run:
        _tell(verb, found, how, about)
        if not found.total:
            _say_hints(app, filters)
        return None
    if not found:
        _say_nothing_found(app, verb, filters)
        return found
    if not how.yes:
        _ask(f"{verb.name} {_how_many(found)}{about}?")
    total = None if found.next else found.total

    with Meter(verb.doing) as meter:
        changed = 0

        def show(reached: BulkProgress) -> None:
            nonlocal changed
            changed = reached.changed
            meter.show(reached.matched, total)

        try:
            return verb.act(progress=show, **filters)
        except RotulusError:
            _say_done(verb, changed)
            raise


def print_changed(
    verb: Verb, changed: Changed, parts: Mapping[str, int] | None = None, *, dry_run: bool = False
) -> None:
    """Print which jobs were changed, as JSON: the same for all verbs.

    Args:
        verb: what was done.
        changed: the jobs.
        parts: of runs, to how many parts it was done with them, where these were counted.
        dry_run: whether it was only tried.
    """
    jobs = [
        {
            "id": job.id,
            "task": job.task,
            "state": job.state,
            "cancelling": job.cancel_requested,
            "parts": (parts or {}).get(job.id, None if job.is_run else 0),
        }
        for job in changed
    ]
    exact = changed.next is None
    told = {"dry_run": dry_run, "total": changed.total, "exact": exact, "jobs": jobs}
    print_json({"verb": verb.name, **told})


def known(app: App, words: Sequence[str]) -> tuple[str, ...]:
    """Returns the ids that words stand for, all of which are there."""
    try:
        return tuple(dict.fromkeys(find_job(app, word).id for word in words))
    except JobNotFoundError as error:
        raise JobNotFoundError(f"{error}; nothing was done") from None


def left(app: App, ids: Sequence[str], done: Sequence[Job[Any]]) -> list[Job[Any]]:
    """Returns the jobs that were not changed, as they stand; a few of them."""
    changed = {job.id for job in done}
    jobs: list[Job[Any]] = []
    for job_id in [one for one in ids if one not in changed][:SHOWN]:
        with suppress(JobNotFoundError):  # it has been pruned meanwhile
            jobs.append(app.get(job_id))
    return jobs


def _by_ids(verb: Verb, ids: Sequence[str]) -> Changed:
    done = Changed()
    with Meter(verb.doing) as meter:
        for start in range(0, len(ids), AT_ONCE):
            try:
                done += verb.act(*ids[start : start + AT_ONCE])
            except RotulusError:
                _say_done(verb, len(done))
                raise
            done.total = len(done)
            meter.show(start, len(ids))
    return done


def _say_done(verb: Verb, jobs: int) -> None:
    """Say how far a verb has got that fails, if it has begun."""
    if jobs:
        click.echo(f"{verb.name}: done for {many(jobs, 'job')}, before it failed", err=True)


def _tell(verb: Verb, found: Changed, how: How, about: str = "") -> None:
    """Say what would be done."""
    if how.as_json:
        print_changed(verb, found, dry_run=True)
        return
    click.echo(f"Would {verb.name} {_how_many(found)}{about}.")
    for job in found[:SHOWN]:
        click.echo(f"{job.id} {job.task} {job.state}")
    if found.total > SHOWN:
        click.echo("...")


def _how_many(found: Changed) -> str:
    return f"{found.total:,}+ jobs" if found.next else many(found.total, "job")


def _ask(question: str) -> None:
    """Go on if somebody agrees; else end the program."""
    agreed = ask(question)
    if agreed is None:
        raise click.UsageError("Nobody answered, so nothing was done; --yes does not ask")
    if not agreed:
        click.echo("Nothing was done.", err=True)
        sys.exit(1)


def _say_nothing_found(app: App, verb: Verb, filters: dict[str, Any]) -> None:
    """Say that options chose no job."""
    task, queue = filters.get("task"), filters.get("queue")
    which = f" of task {task!r}" * bool(task) + f" in queue {queue!r}" * bool(queue)
    click.echo(f"No job{which} {verb.meant}: nothing was done.", err=True)
    _say_hints(app, filters)


def _say_hints(app: App, filters: dict[str, Any]) -> None:
    """Say what there is in place of a name that is not known."""
    if hints := say_hints(app, filters):
        click.echo(hints, err=True)
