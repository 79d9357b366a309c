"""What the site has beside `docs/`: the pages at the root of the repository, and all decisions.

MkDocs calls the functions of this module while it builds; `mkdocs.yml` names it.
"""

import posixpath
import re
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

LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> None:
    """List every decision record in the navigation."""
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    decisions = next(entry["Decisions"] for entry in _nav(config) if "Decisions" in entry)
    decisions += [f"decisions/{record.name}" for record in records]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the files at the root of the repository."""
    for name, uri in ROOT_PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        if uri.endswith(".md"):
            text = LINK.sub(lambda found: site_link(found[1], ".", "."), text)
        files.append(File.generated(config, uri, content=text))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links that leave `docs/` to where those files are in the site."""
    if page.file.generated_by is not None:
        return markdown
    folder = posixpath.dirname(page.file.src_uri)
    at = posixpath.join("docs", folder)
    return LINK.sub(lambda found: site_link(found[1], at, folder or "."), markdown)


def site_link(link: str, at: str, folder: str) -> str:
    """A link of a page that is in a folder of the repository, from a folder of the site."""
    path = posixpath.normpath(posixpath.join(at, link))
    if path in ROOT_PAGES:
        return posixpath.relpath(ROOT_PAGES[path], folder)
    if path.startswith("docs/"):
        return posixpath.relpath(path.removeprefix("docs/"), folder)
    return link


def _nav(config: MkDocsConfig) -> list[dict[str, Any]]:
    return [entry for entry in config.nav or [] if isinstance(entry, dict)]
