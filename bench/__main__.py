"""`make bench`: takes all figures, round by round, and prints them as tables.

    python -m bench [--rounds 5] [--only drain,pickup] [--on sqlite,postgres,redis]
                    [--peers oban,dbos] [--write]

All samples go to .bench/results.json; `--rounds 0` takes none, and shows those of the last run.
`--write` puts them into the tables of README and docs/speed.md, draws docs/speed.svg, and keeps the
samples beside them, in bench/results.json; what was not taken this time stays there as it was.
"""

import argparse
import sys
import time
from pathlib import Path

from bench import measures, roster
from bench.environments import MissingError, python_of
from bench.pages import fill
from bench.places import PLACES
from bench.plot import plot
from bench.report import LAST, Figures, Samples, reason
from bench.tables import tables

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/speed.md")
IMPORTED = ("rotulus", "click, pydantic")


def main():
    """Take the figures, save them, and show the tables."""
    chosen = arguments()
    figures = Figures([take(chosen)]) if chosen.rounds else Figures.last()
    made = tables(figures)
    print("", *[f"{name}\n{text}\n" for name, text in made.items() if text], sep="\n")
    if chosen.write:
        write(figures)
    print(f"All samples: {LAST.relative_to(ROOT)}")
    failures = sum(len(run.failures) for run in figures.runs)
    if failures:
        sys.exit(f"{failures} samples could not be taken; it is said there why")


def write(figures):
    """Put these into the pages; what was not taken now stays there as it was."""
    kept = Figures([*Figures.written().runs, *figures.runs])
    made = tables(kept)
    for page in PAGES:
        fill(ROOT / page, made)
    (ROOT / "docs" / "speed.svg").write_text(plot(kept))
    kept.write()


def arguments():
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="samples of each figure")
    parser.add_argument("--write", action="store_true", help="put the tables into the pages")
    known = {"only": [*roster.PLAN, "import"], "on": list(PLACES), "peers": roster.peers()}
    for name, names in known.items():
        parser.add_argument(f"--{name}", help=f"only these: {', '.join(names)}")
    chosen = parser.parse_args()
    for name, names in known.items():
        given = getattr(chosen, name)
        listed = given.split(",") if given else names
        unknown = [one for one in listed if one not in names]
        if unknown:
            parser.error(f"--{name} {', '.join(unknown)}: choose from {', '.join(names)}")
        setattr(chosen, name, listed)
    return chosen


def take(chosen):
    """All samples, with what they depend on, as they are saved."""
    began, samples = time.monotonic(), Samples()
    try:
        contenders = ready(roster.chosen(chosen.on, chosen.peers), chosen.only)
        for number in range(1, chosen.rounds + 1):
            samples.next_round()
            only = set(chosen.only) - roster.ONCE if number > 1 else chosen.only
            take_round(samples, contenders, only, f"{number}/{chosen.rounds}")
        used = dict.fromkeys(place for one in contenders.values() for place in one.places)
        samples.save(
            {
                "versions": roster.versions(),
                "servers": {name: PLACES[name].facts() for name in used},
                "minutes": round((time.monotonic() - began) / 60, 1),
            }
        )
    finally:
        for place in PLACES.values():
            place.stop()
    return samples


def ready(contenders, only):
    """Those that can run here, by name: their servers started, their environments made."""
    wanted = {name for measure in only for name in roster.PLAN.get(measure, ())}
    found = {}
    for contender in contenders:
        if str(contender) in wanted:
            try:
                for home in contender.homes:
                    home.start()
                python_of(contender.environment)
                found[str(contender)] = contender
            except MissingError as error:
                print(f"without {contender}: {error}", flush=True)
    return found


def take_round(samples, contenders, only, title):
    """One sample of everything, contenders in turn."""
    for measure, names in roster.PLAN.items():
        for name in names if measure in only else ():
            if name in contenders:
                take_one(samples, title, f"{measure} {name}", measure, contenders[name])
    for names in IMPORTED if "import" in only else ():
        take_one(samples, title, f"import {names}", "import_time", names)


def take_one(samples, title, key, measure, of):
    """One sample; one that fails is told, and the others go on."""
    try:
        value = getattr(measures, measure)(of)
    except Exception as error:  # noqa: BLE001 - half an hour is not lost for one of them
        samples.fail(f"{title} {key}", error)
        print(f"{title} {key} failed: {reason(error)}", flush=True)
    else:
        samples.add(key, value)
        print(f"{title} {key}: {show(value)}", flush=True)


def show(value):
    """A sample on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{part} {number:,.2f}" for part, number in value.items())
    return f"{value:,.2f}"


if __name__ == "__main__":
    main()
