"""Takes pictures of the console into `docs/pictures/`: of the shop of `rotulus demo`, in Chromium.

    scripts/screens.py [FOLDER]

Each screen is 1,440 pixels wide, in both themes: `console-jobs-light.png`. The shop is open while
they are taken, so two pictures of a screen are not the same to the last pixel. No screen is among
them that has the paths of a machine, such as a traceback.
"""

import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
WIDTH, HEIGHT = 1440, 900
SETTLED = 1_500
"""Milliseconds for what appears to have appeared."""


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


def take(browser: Browser, console: str, theme: str, folder: Path) -> None:
    """Take the pictures of all screens in a theme."""
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
        page.screenshot(path=folder / f"console-{name}-{theme}.png")
        print(f"console-{name}-{theme}.png")
    context.close()


def main() -> None:
    """Take all of them."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Pictures of the console need Chromium, and it is not here: apt install chromium")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with the_shop() as console, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for theme in ("light", "dark"):
            take(browser, console, theme, folder)
        browser.close()


if __name__ == "__main__":
    main()
