"""`make bench`: takes all figures, round by round, and prints them as a table.

    python -m bench [--rounds 5] [--only drain,pickup] [--write]

`--write` puts the tables into README and docs/speed.md; the samples go to bench/results.json.
"""

import argparse
import sys
from pathlib import Path

from bench import measures
from bench.programs import CONTENDERS
from bench.report import RESULTS, Row, Samples, put, table

ROOT = Path(__file__).parent.parent

US, THREADS, HUEY = "rotulus", "rotulus, threads", "huey"

PLAN = {
    "enqueue_one": [US, HUEY],
    "enqueue_many": [US, HUEY],
    "drain": [US, THREADS, HUEY],
    "pickup": [US, HUEY],
    "first_job": [US, HUEY],
    "memory": [US, HUEY],
    "drain_past": [US],
}
"""Which contenders each measure is taken of; those that are slow to take come last."""

ROWS = [
    Row("enqueue, one by one, a second", "enqueue_one rotulus", "enqueue_one huey", "{:,.0f}"),
    Row("enqueue in batches, a second", "enqueue_many rotulus", "enqueue_many huey", "{:,.0f}"),
    Row("drain 20,000 coroutines, a second", "drain rotulus", "drain huey", "{:,.0f}"),
    Row("drain 20,000 functions, a second", "drain rotulus, threads", "drain huey", "{:,.0f}"),
    Row(
        "drain beside 1,000,000 ended jobs (here: beside none)",
        "drain_past rotulus",
        "drain rotulus",
        "{:,.0f}",
    ),
    Row("pick-up when idle, p50, ms", "pickup rotulus p50", "pickup huey p50", "{:.2f}"),
    Row("pick-up when idle, p95, ms", "pickup rotulus p95", "pickup huey p95", "{:.2f}"),
    Row("pick-up when idle, p99, ms", "pickup rotulus p99", "pickup huey p99", "{:.2f}"),
    Row("worker's start to its first job, ms", "first_job rotulus", "first_job huey", "{:.0f}"),
    Row("memory of a worker, MB", "memory rotulus", "memory huey", "{:.0f}"),
    Row(
        "`import rotulus`, ms (here: `import click, pydantic`)",
        "import rotulus",
        "import click, pydantic",
        "{:.0f}",
    ),
]


def main():
    """Take the figures, save them, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="samples of each figure")
    parser.add_argument("--only", help="only these measures, separated by commas")
    parser.add_argument("--write", action="store_true", help="put the tables into the pages")
    chosen = parser.parse_args()
    only = chosen.only.split(",") if chosen.only else [*PLAN, "import"]
    unknown = set(only) - {*PLAN, "import"}
    if unknown:
        sys.exit(f"No measure {', '.join(unknown)}: choose from {', '.join(PLAN)}, import")
    samples = Samples()
    for number in range(1, chosen.rounds + 1):
        take_round(samples, only, f"{number}/{chosen.rounds}")
    samples.save()
    text = table(samples, ROWS, ["", "rotulus", "huey on SQLite", "times"])
    print(f"\n{text}\n\nAll samples: {RESULTS.relative_to(ROOT)}")
    if chosen.write:
        for page in ("README.md", "docs/speed.md"):
            put(ROOT / page, "bench", text)


def take_round(samples, only, title):
    """One sample of everything, contenders in turn."""
    for measure, names in PLAN.items():
        for name in names if measure in only else ():
            value = getattr(measures, measure)(CONTENDERS[name])
            samples.add(f"{measure} {name}", value)
            print(f"{title} {measure} {name}: {show(value)}", flush=True)
    for names in ("rotulus", "click, pydantic") if "import" in only else ():
        value = measures.import_time(names)
        samples.add(f"import {names}", value)
        print(f"{title} import {names}: {show(value)}", flush=True)


def show(value):
    """A sample on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{part} {number:,.2f}" for part, number in value.items())
    return f"{value:,.2f}"


if __name__ == "__main__":
    main()
