"""Samples become medians, ratios and tables."""

import datetime as dt
import json
import os
import platform
import statistics
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        title: what was measured.
        key: the measure and the contender, as in the samples.
        beside: the one it is compared with, if there is one.
        form: how a figure is written.
    """

    title: str
    key: str
    beside: str | None
    form: str


class Samples:
    """All samples of a run, by measure and contender."""

    def __init__(self):
        self.values = {}

    def add(self, key, value):
        """One more sample; what comes in parts is kept apart."""
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for part, number in parts:
            self.values.setdefault(f"{key} {part}".strip(), []).append(number)

    def median(self, key):
        """The median of the samples, None when there are none."""
        found = self.values.get(key)
        return statistics.median(found) if found else None

    def ratio(self, key, beside):
        """The median of the ratios of samples that were taken in the same round."""
        pairs = zip(self.values.get(key, ()), self.values.get(beside, ()), strict=False)
        ratios = [one / other for one, other in pairs]
        return statistics.median(ratios) if ratios else None

    def save(self):
        """Write everything down, with the machine it was taken on."""
        RESULTS.write_text(
            json.dumps(
                {
                    "taken": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                    "python": platform.python_version(),
                    "cores": len(os.sched_getaffinity(0)),
                    "medians": {key: round(self.median(key), 3) for key in self.values},
                    "samples": {k: [round(v, 3) for v in vs] for k, vs in self.values.items()},
                },
                indent=1,
            )
            + "\n"
        )


def table(samples, rows, headings):
    """The rows that were measured, as a Markdown table."""
    lines = [f"| {' | '.join(headings)} |", "|---|" + "---:|" * (len(headings) - 1)]
    for row in rows:
        ours = samples.median(row.key)
        if ours is None:
            continue
        theirs = samples.median(row.beside) if row.beside else None
        ratio = samples.ratio(row.key, row.beside) if theirs else None
        cells = [row.title, row.form.format(ours)]
        cells += [row.form.format(theirs), f"{ratio:.2g}"] if ratio else ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def put(path, name, text):
    """Replace what stands between two markers of a page."""
    page = path.read_text()
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(before + begin + text + "\n" + end + after)
