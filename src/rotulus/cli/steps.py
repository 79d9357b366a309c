"""Prints the steps of a run: as a tree, and over time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from rotulus import Job, State, StepInfo, Timeline
from rotulus.cli.output import console, length, progress_text, state_text
from rotulus.cli.tables import Column, print_rows
from rotulus.cli.timeline import FINE, MOST_ROWS, PLAIN, lines_of

_WIDE = 100
"""The width of a line where there is no terminal."""

_STEPS = (
    Column("step", fold=20),
    Column("state"),
    Column("tries", right=True),
    Column("waited", right=True, spill=1),
    Column("ran", right=True, spill=1),
    Column("", fold=24, spill=2),
)


def print_steps(whole: Job[Any], nodes: Sequence[StepInfo], *, err: bool = False) -> None:
    """The steps of a job, as a tree, and then over the time that it took."""
    out = console(err=err)
    fine = _knows("█├✗", out.encoding)
    rows: list[tuple[object, ...]] = []
    for guide, node in _branching(nodes, fine=fine):
        rows.append(
            (
                Text().append(guide, "dim").append(node.name),
                state_text(node.job.state),
                node.attempts if node.spans else "",
                length(node.waited),
                length(node.ran),
                _note(node),
            )
        )
        rows += [("", "", "", "", "", f"{job.step}: {_one_line(job)}") for job in node.wrong]
    print_rows(out, _STEPS, rows)
    width = out.width if out.is_terminal else _WIDE
    lines = lines_of(Timeline.of(whole, nodes, MOST_ROWS), width, FINE if fine else PLAIN)
    if lines:
        out.print(Text("\nover time", "bold"))
    for line in lines:
        out.print(Text(line), soft_wrap=True)


def print_node(node: StepInfo) -> None:
    """Print the parts that a job does not show: the branches of a step, the jobs of a group."""
    out = console()
    if node.branches:
        out.print(Text("\njobs" if node.job.is_run else "\nbranches", "bold"))
        out.print(Text(f"  {_counts(node.branches)}"), soft_wrap=True)
    for job in node.wrong:
        out.print(Text(f"  {job.step}: {_one_line(job)}"), soft_wrap=True)


def _branching(
    nodes: Sequence[StepInfo], before: str = "", *, fine: bool
) -> Iterator[tuple[str, StepInfo]]:
    """Each step with the lines that lead to it; the first ones stand by themselves."""
    fork, end, on = ("├─ ", "└─ ", "│  ") if fine else ("|- ", "`- ", "|  ")
    for number, node in enumerate(nodes, 1):
        last = number == len(nodes)
        yield f"{before}{end if last else fork}", node
        yield from _branching(node.steps, f"{before}{'   ' if last else on}", fine=fine)


def _note(node: StepInfo) -> str:
    """Returns further remarks about a step, the most important one first."""
    job, parts = node.job, _counts(node.branches)
    if job.error is not None and job.state is not State.SUCCEEDED:
        return parts or _one_line(job)
    if parts:
        return parts
    if job.paused and not job.state.ended:
        return "its run is paused"
    if job.state is State.BLOCKED and node.waits_for:
        return f"waits for {_some(node.waits_for)}"
    if job.state is State.RUNNING:
        return (
            "is asked to stop" if job.cancel_requested else progress_text(job) or job.reason or ""
        )
    return job.reason or ""


def _counts(branches: Counter[State]) -> str:
    """`9 of 12: 8 succeeded, 1 failed, 3 running`; nothing of none."""
    if not branches:
        return ""
    ended = sum(count for state, count in branches.items() if state.ended)
    words = [f"{branches[state]} {state}" for state in State if branches[state]]
    return f"{ended} of {branches.total()}: {', '.join(words)}"


def _one_line(job: Job[Any]) -> str:
    text = str(job.error) if job.error else job.reason or str(job.state)
    return " ".join(text.split())


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{', '.join(names[:4])}{more}"


def _knows(letters: str, encoding: str) -> bool:
    """Returns whether an encoding has these letters."""
    try:
        letters.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
