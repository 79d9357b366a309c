"""Looks at the console in Chromium, and times what somebody waits for."""

import shutil
from typing import NamedTuple

from load import address_of_server
from playwright.sync_api import sync_playwright

WATCH = """
(([selector, count]) => {
  const look = () => {
    if (document.querySelectorAll(selector).length < count) return;
    watcher.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.shown = performance.now(); }));
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document, {subtree: true, childList: true});
})
"""
"""Notes when so many elements are there, and drawn: milliseconds since the page was asked for."""

ANSWERED = """(part) => performance.getEntriesByType("resource")
  .filter((one) => one.name.includes(part)).at(-1).responseEnd"""
"""When the answer to a request had come, on the same clock."""


FILL = """async (rows) => {
  const grid = document.querySelector("[role=grid]"), end = performance.now() + 600000;
  const known = () => Math.round(grid.querySelector(".grid-body").clientHeight / 36);
  while (known() < rows && performance.now() < end) {
    grid.scrollTop = grid.scrollHeight;
    await new Promise(requestAnimationFrame);
  }
  return known();
}"""
"""Scrolls to the end until so many rows are known; how many they are."""

ROLL = """async ([frames, pixels]) => {
  const grid = document.querySelector("[role=grid]"), taken = [];
  grid.scrollTop = 0;
  await new Promise((go) => setTimeout(go, 2000));
  let before = await new Promise(requestAnimationFrame);
  for (let frame = 0; frame < frames; frame += 1) {
    grid.scrollTop += pixels;
    const now = await new Promise(requestAnimationFrame);
    taken.push(now - before);
    before = now;
  }
  return taken;
}"""
"""Scrolls by so many pixels in each of so many frames; the milliseconds between them."""

FRAMES, PIXELS, LATE = 600, 60, 25.0
"""How far a table is scrolled, and the milliseconds after which a frame was missed, at 60 Hz."""


PATIENCE = 60_000
"""Milliseconds after which a page that shows nothing has failed: the console was not built, say."""


class Seen(NamedTuple):
    """What is looked at.

    Attributes:
        path: of the console.
        selector: of the elements that are waited for.
        count: how many of them.
        after: a part of the address of the request from whose answer on time counts; "": from the
            begin of the page.
    """

    path: str
    selector: str
    count: int
    after: str = ""


def look(seen, times):
    """Open each page so many times, each time in a new browser; the milliseconds of each."""
    address = address_of_server()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        found = {
            name: [_once(browser, f"{address}/console/{one.path}", one) for _ in range(times)]
            for name, one in seen.items()
        }
        browser.close()
    return found


def roll(path, rows):
    """Scroll through a table of so many rows; frames that came late, and the heap in MB."""
    address = address_of_server()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.set_default_timeout(700_000)
        page.goto(f"{address}/console/{path}")
        page.wait_for_selector("[role=row]")
        known = page.evaluate(FILL, rows)
        taken = page.evaluate(ROLL, [FRAMES, PIXELS])
        devtools = context.new_cdp_session(page)
        devtools.send("HeapProfiler.collectGarbage")
        heap = devtools.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        drawn = page.locator("[role=row]").count()
        browser.close()
    late = sum(one > LATE for one in taken)
    return {"rows": known, "drawn": drawn, "late": late, "slowest": max(taken), "heap": heap}


def _chromium():
    return shutil.which("chromium") or shutil.which("google-chrome")


def _once(browser, url, seen):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(f"{WATCH}([{seen.selector!r}, {seen.count}])")
    page.goto(url)
    page.wait_for_function("() => window.shown", timeout=PATIENCE)
    shown = page.evaluate("() => window.shown")
    since = page.evaluate(ANSWERED, seen.after) if seen.after else 0.0
    context.close()
    return shown - since
