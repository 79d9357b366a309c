"""Takes pictures of the console into `docs/pictures/`: of the shop of `rotulus demo`, in Chromium.

    scripts/screens.py [--words] [FOLDER]

Each screen is 1,440 pixels wide, in both themes: `console-jobs-light.png`. The shop is open while
they are taken, so two pictures of a screen are not the same to the last pixel. What does not
change from one to the next is written to `console.json`: the words of headings, columns, buttons
and links of each screen. A test reads them again, with `--words`, and fails when the pictures are
out of date. No screen is among them that has the paths of a machine, such as a traceback.
"""

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
WIDTH, HEIGHT = 1440, 900
SETTLED = 1_500
"""Milliseconds for what appears to have appeared."""


LASTING = """() => {
  const shown = "nav a, main h1, main h2, main h3, main th, main [role=columnheader], "
    + "main button, main summary, main label";
  const words = (one) => (one.getAttribute("aria-label") || one.innerText).trim().split("\\n")[0];
  return [...document.querySelectorAll(shown)].filter((one) => one.checkVisibility()).map(words);
}"""
"""What is on a screen whatever happens in the shop, and some that is not."""

CHANGING = re.compile(r"\d|[a-z]\.[a-z]|^(Resume|Pause|Retry|Cancel|Delete|Edit)$|^$")
"""Words that come and go: with a number in them, names of tasks, and what can be done to a job."""


@contextmanager
def the_shop() -> Iterator[str]:
    """The shop, open for the length of a block; gives the address of its console."""
    command = [sys.executable, "-m", "rotulus", "demo", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            for line in process.stderr or ():
                if "The shop is open: " in line:
                    yield line.split()[-1]
                    return
            sys.exit("rotulus demo did not start: it needs rotulus[service]")
        finally:
            process.send_signal(signal.SIGINT)


def first(console: str, resource: str, **wanted: str) -> str:
    """Returns the id of the first of these."""
    address = f"{console.removesuffix('console/')}api/v1/{resource}?{urlencode(wanted)}"
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - our own server
        [item, *_] = json.load(answer)["items"]
    return item["id"]


def screens(console: str) -> dict[str, str]:
    """Returns the paths of the screens, by the names of their pictures."""
    resized = first(console, "jobs", task="pictures.resize", state="succeeded")
    run = first(console, "runs", task="catalogue.publish")
    return {
        "overview": "",
        "jobs": "jobs",
        "job": f"jobs/{resized}",
        "run": f"runs/{run}",
        "failures": "failures",
        "schedule": "schedules/stock.count",
    }


def words_of(page: Page) -> list[str]:
    """Returns the words of a screen that do not change with what happens in the shop."""
    return sorted({text for text in page.evaluate(LASTING) if not CHANGING.search(text)})


def take(browser: Browser, console: str, theme: str, folder: Path | None) -> dict[str, list[str]]:
    """Take the pictures of all screens in a theme; returns the words of each screen.

    Without a folder the words are read, and no picture is taken.
    """
    words = {}
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = context.new_page()
    for name, path in screens(console).items():
        page.goto(f"{console}{path}")
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(SETTLED)
        words[name] = words_of(page)
        if folder is not None:
            page.screenshot(path=folder / f"console-{name}-{theme}.png")
            print(f"console-{name}-{theme}.png")
    context.close()
    return words


def main() -> None:
    """Take all of them."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Pictures of the console need Chromium, and it is not here: apt install chromium")
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--words", action="store_true")
    given = parser.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    with the_shop() as console, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for theme in ("light",) if given.words else ("dark", "light"):
            words = take(browser, console, theme, None if given.words else folder)
        browser.close()
    (folder / "console.json").write_text(json.dumps(words, indent=1) + "\n")


if __name__ == "__main__":
    main()
