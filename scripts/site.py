"""What the site has beside `docs/`: the pages at the root of the repository, and all decisions.

MkDocs calls the `on_...` functions of this module while it builds; `mkdocs.yml` names it. Pages are
written as GitHub reads them, and are changed here where Python's Markdown reads them otherwise.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
ROOT_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "license.txt",
}
"""Where in the site the files at the root of the repository are."""

HISTORY = ("changelog", "decisions/")
"""Pages that the search finds after the guide."""

LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)")
ITEM = re.compile(r"- |\d+\. ")
ROW = re.compile(r"\|")
CODE = re.compile(r"`[^`]+`")


def on_config(config: MkDocsConfig) -> None:
    """List every decision record in the navigation."""
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    decisions = next(entry["Decisions"] for entry in _nav(config) if "Decisions" in entry)
    decisions.append({"The records": [f"decisions/{record.name}" for record in records]})


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the files at the root of the repository."""
    for name, uri in ROOT_PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        if uri.endswith(".md"):
            text = LINK.sub(lambda found: site_link(found[1], ".", "."), text)
        files.append(File.generated(config, uri, content=text))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Change a page so that its links and lists are in the site what they are in the repository."""
    if page.file.src_uri.startswith(HISTORY):
        page.meta["search"] = {"boost": 0.3}
    if page.file.generated_by is None:
        folder = posixpath.dirname(page.file.src_uri)
        at = posixpath.join("docs", folder)
        markdown = LINK.sub(lambda found: site_link(found[1], at, folder or "."), markdown)
    return "\n".join(for_python(markdown.splitlines()))


def site_link(link: str, at: str, folder: str) -> str:
    """A link of a page that is in a folder of the repository, from a folder of the site."""
    path = posixpath.normpath(posixpath.join(at, link))
    if path in ROOT_PAGES:
        return posixpath.relpath(ROOT_PAGES[path], folder)
    if path.startswith("docs/"):
        return posixpath.relpath(path.removeprefix("docs/"), folder)
    return link


def for_python(lines: list[str]) -> Iterator[str]:
    """Lines as Python's Markdown needs them.

    A list and a table begin after an empty line there, and a `|` in the code of a cell needs no
    backslash: it would be shown.
    """
    is_code, last = False, ""
    for line in lines:
        is_code ^= line.startswith("```")
        begins = next((start for start in (ITEM, ROW) if start.match(line)), None)
        if not is_code and begins and last and not last.startswith(" ") and not begins.match(last):
            yield ""
        yield line if is_code or begins is not ROW else CODE.sub(_unescaped, line)
        last = line


def _unescaped(code: re.Match[str]) -> str:
    return code[0].replace("\\|", "|")


def _nav(config: MkDocsConfig) -> list[dict[str, Any]]:
    return [entry for entry in config.nav or [] if isinstance(entry, dict)]
