"""Looks at the console in Chromium, and times what somebody waits for."""

import shutil
from typing import NamedTuple

from load import address_of_server
from playwright.sync_api import sync_playwright

WATCH = """
(([selector, count]) => {
  window.shown = new Promise((tell) => {
    const look = () => {
      if (document.querySelectorAll(selector).length < count) return;
      watcher.disconnect();
      requestAnimationFrame(() => setTimeout(() => tell(performance.now())));
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document, {subtree: true, childList: true});
  });
})
"""
"""Notes when so many elements are there, and drawn: milliseconds since the page was asked for."""

ANSWERED = """(part) => performance.getEntriesByType("resource")
  .filter((one) => one.name.includes(part)).at(-1).responseEnd"""
"""When the answer to a request had come, on the same clock."""


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
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = {
            name: [_once(browser, f"{address}/console/{one.path}", one) for _ in range(times)]
            for name, one in seen.items()
        }
        browser.close()
    return found


def _once(browser, url, seen):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(f"{WATCH}([{seen.selector!r}, {seen.count}])")
    page.goto(url)
    shown = page.evaluate("() => window.shown")
    since = page.evaluate(ANSWERED, seen.after) if seen.after else 0.0
    context.close()
    return shown - since
