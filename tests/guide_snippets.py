"""The Python of the guide, page by page, as files that type checkers read."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAVED = re.compile(r"# ([\w.-]+)\.py\n")


def write(folder):
    """Write the snippets of each page into a folder of its own; the folders."""
    folders = []
    for page in PAGES:
        place = folder / page.stem.lower()
        place.mkdir()
        folders.append(place)
        loose = []
        for found in FENCE.finditer(page.read_text(encoding="utf-8")):
            name = SAVED.match(found[1])
            if name:
                (place / f"{name[1]}.py").write_text(found[1])
            else:
                loose.append(found[1])
        if loose:
            (place / "page.py").write_text("\n".join(loose))
    return folders
