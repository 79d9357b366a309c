"""Samples become medians and ratios, and are kept."""

import datetime as dt
import json
import os
import platform
import re
import statistics
from pathlib import Path

from bench.environments import HOME

LAST = HOME / "results.json"
"""Those of the last run, whatever it was of."""

WRITTEN = Path(__file__).parent / "results.json"
"""Those of which the pages tell, run by run."""


def reason(error):
    """The line of an error that says most, also when it is another program's; no path in it."""
    lines = str(error).splitlines() or [repr(error)]
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    line = (named or lines)[-1].partition("; its server:")[0]
    return re.sub(r"/\S*/", "", line)


class Samples:
    """All samples of a run, by measure and contender: one of each in a round, None if it failed."""

    def __init__(self, values=None, facts=None):
        self.values = values or {}
        self.facts = facts or {}
        self.failures = []
        self._round = 0

    @classmethod
    def of(cls, saved):
        """Those that were saved as JSON data."""
        facts = {name: fact for name, fact in saved.items() if name not in ("medians", "samples")}
        return cls(saved["samples"], facts)

    def next_round(self):
        """Begin the next round: later samples belong to it."""
        self._round += 1

    def add(self, key, value):
        """One more sample of this round; what comes in parts is kept apart."""
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for part, number in parts:
            values = self.values.setdefault(f"{key} {part}".strip(), [])
            values += [None] * (self._round - 1 - len(values))
            values.append(number)

    def fail(self, key, error):
        """This round has no sample of this, because of that."""
        self.failures.append(f"{key}: {reason(error)}")

    def median(self, key):
        """The median of the samples, None when there are none."""
        found = [value for value in self.values.get(key, ()) if value is not None]
        return statistics.median(found) if found else None

    def ratio(self, key, beside):
        """The median of the ratios of samples that were taken in the same round."""
        pairs = zip(self.values.get(key, ()), self.values.get(beside, ()), strict=False)
        ratios = [one / other for one, other in pairs if one is not None and other]
        return statistics.median(ratios) if ratios else None

    def save(self, facts):
        """Write everything down, with the machine and the versions it was taken of."""
        self.facts = {
            "taken": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "cores": len(os.sched_getaffinity(0)),
            **facts,
            "failures": self.failures,
        }
        _write(LAST, self.told())

    def told(self):
        """All of it as JSON data, with the medians, for readers."""
        medians = {key: round(self.median(key), 3) for key in self.values}
        samples = {key: [_rounded(one) for one in ones] for key, ones in self.values.items()}
        return self.facts | {"medians": medians, "samples": samples}


class Figures:
    """What tables are made of: each figure of the last run that took it.

    Args:
        runs: the samples of several runs, the oldest first.
    """

    def __init__(self, runs):
        self.runs = []
        for run in runs:
            for earlier in self.runs:
                earlier.values = {
                    key: ones for key, ones in earlier.values.items() if key not in run.values
                }
            self.runs = [*(earlier for earlier in self.runs if earlier.values), run]

    @classmethod
    def last(cls):
        """Those of the last run, or else those of the pages."""
        return cls([Samples.of(json.loads(LAST.read_text()))]) if LAST.exists() else cls.written()

    @classmethod
    def written(cls):
        """Those of which the pages tell."""
        return cls(map(Samples.of, json.loads(WRITTEN.read_text())["runs"]))

    def write(self):
        """These are what the pages tell of from now on."""
        _write(WRITTEN, {"runs": [run.told() for run in self.runs]})

    def median(self, key):
        """The median of the samples, None when there are none."""
        return next((run.median(key) for run in self.runs if key in run.values), None)

    def ratio(self, key, beside):
        """The median of the ratios within a round: None where no run has taken both."""
        ratios = (run.ratio(key, beside) for run in self.runs)
        return next((ratio for ratio in ratios if ratio is not None), None)

    def facts(self, name):
        """What was written down under a name, by what it is of: of each the latest."""
        return {of: fact for run in self.runs for of, fact in run.facts.get(name, {}).items()}


def _write(path, data):
    path.write_text(f"{json.dumps(data, indent=1)}\n")


def _rounded(value):
    return None if value is None else round(value, 3)
