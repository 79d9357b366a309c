"""Samples become medians and ratios, and are kept."""

import datetime as dt
import json
import os
import platform
import statistics
from pathlib import Path

from bench.environments import HOME

LAST = HOME / "results.json"
"""Those of the last run, whatever it was of."""

WRITTEN = Path(__file__).parent / "results.json"
"""Those of which the pages tell."""


class Samples:
    """All samples of a run, by measure and contender: one of each in a round, None if it failed."""

    def __init__(self, values=None, facts=None):
        self.values = values or {}
        self.facts = facts or {}
        self.failures = []
        self._round = 0

    @classmethod
    def saved(cls):
        """Those of the last run, or else those of the pages."""
        saved = json.loads((LAST if LAST.exists() else WRITTEN).read_text())
        saved.pop("medians")
        return cls(saved.pop("samples"), saved)

    def next_round(self):
        """What is added from now on belongs to the next round."""
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
        self.failures.append(f"{key}: {error}")

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
        medians = {key: round(self.median(key), 3) for key in self.values}
        samples = {key: [_rounded(one) for one in ones] for key, ones in self.values.items()}
        told = json.dumps(self.facts | {"medians": medians, "samples": samples}, indent=1)
        LAST.write_text(f"{told}\n")


def _rounded(value):
    return None if value is None else round(value, 3)
