"""What is built of the console: its size, that it is the same each time, and that it asks nobody."""

import gzip
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.anywhere

ROOT = Path(__file__).parent.parent.parent
CONSOLE = ROOT / "console"

FIRST_LOAD, ALL_SCRIPTS, STYLES = 45, 90, 12
"""The most kilobytes, as gzip makes them: of scripts that every page loads, of all, of styles."""


def kilobytes(paths):
    """What some files come to with gzip."""
    return sum(len(gzip.compress(path.read_bytes(), mtime=0)) for path in paths) / 1024


def first_scripts(built):
    """The scripts that are loaded before a screen is: the one of the page, and its imports."""
    page = (built / "index.html").read_text()
    found, wanted = set(), re.findall(r'src="\./(assets/[^"]+\.js)"', page)
    while wanted:
        path = built / wanted.pop()
        if path not in found:
            found.add(path)
            imports = re.findall(r'(?:from|import)\s*"\./([^"]+\.js)"', path.read_text())
            wanted += [f"assets/{name}" for name in imports]
    return found


def test_it_is_small(built):
    """Scripts at first load, all scripts, and styles, compressed."""
    scripts, styles = set(built.rglob("*.js")), list(built.rglob("*.css"))
    first = first_scripts(built)

    assert first
    assert len(first) < len(scripts)
    assert kilobytes(first) <= FIRST_LOAD
    assert kilobytes(scripts) <= ALL_SCRIPTS
    assert kilobytes(styles) <= STYLES


def test_it_asks_no_other_server_and_has_nothing_inline(built):
    """What the policy forbids is not there in the first place."""
    page = (built / "index.html").read_text()
    texts = [path.read_text() for path in built.rglob("*") if path.suffix in (".js", ".css")]

    assert (
        re.findall(r"<script[^>]*>[^<]", page) == re.findall(r"<style|style=|\son\w+=", page) == []
    )
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}
    names |= {"http://www.w3.org/1999/xhtml", "http://www.w3.org/1999/xlink"}
    asked = {url for text in texts for url in re.findall(r"https?://[\w./-]+", text)}
    assert asked <= names
    assert all(re.match(r"(\./|data:)", url) for url in re.findall(r'(?:src|href)="([^"]+)"', page))


def test_it_is_the_same_each_time(built, tmp_path):
    """A second build of the same source makes the same bytes."""
    subprocess.run(
        ["npx", "--no", "vite", "build", "--outDir", str(tmp_path), "--logLevel", "warn"],
        cwd=CONSOLE,
        check=True,
        timeout=120,
    )

    def told(folder):
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder): path.read_bytes() for path in files}

    assert told(tmp_path) == told(built)


def test_its_logic_holds(built):
    """The unit tests in TypeScript, and the checks of its style."""
    for command in (["npm", "test", "--silent"], ["npm", "run", "--silent", "lint"]):
        told = subprocess.run(command, cwd=CONSOLE, capture_output=True, text=True, timeout=180)
        assert told.returncode == 0, told.stdout + told.stderr


def test_every_package_is_pinned_and_no_address_of_a_registry_is_kept():
    """So that the same packages come from wherever a machine gets them."""
    package = json.loads((CONSOLE / "package.json").read_text())
    lock = json.loads((CONSOLE / "package-lock.json").read_text())
    asked = package["dependencies"] | package["devDependencies"]

    assert [] == [name for name, version in asked.items() if not re.fullmatch(r"[\d.]+", version)]
    assert {"preact", "@preact/signals"} == set(package["dependencies"])
    locked = {name: one for name, one in lock["packages"].items() if name}
    assert [] == [name for name, one in locked.items() if "resolved" in one]
    assert [] == [name for name, one in locked.items() if "integrity" not in one]
    assert "omit-lockfile-registry-resolved=true" in (CONSOLE / ".npmrc").read_text()


def test_a_wheel_has_it(built, tmp_path):
    """Though git leaves it out, so that nobody who installs needs Node."""
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--no-deps",
            "--quiet",
            "--wheel-dir",
            tmp_path,
            ROOT,
        ],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert made.returncode == 0, made.stderr
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())

    files = [path for path in built.rglob("*") if path.is_file()]
    assert {f"rotulus/console/static/{path.relative_to(built)}" for path in files} <= names


def test_a_drift_of_the_api_fails_its_check(built, tmp_path):
    """Its types are those of the document: a field that is not there any more is an error."""
    shutil.copytree(CONSOLE / "src", tmp_path / "src")
    shutil.copy(CONSOLE / "tsconfig.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(CONSOLE / "node_modules")
    types = tmp_path / "src" / "api" / "schema.d.ts"
    text = types.read_text()
    assert "            environment: string | null;" in text
    types.write_text(text.replace("            environment: string | null;", "", 1))

    command = [CONSOLE / "node_modules" / ".bin" / "tsc", "--noEmit", "--project", tmp_path]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert told.returncode != 0
    assert "Property 'environment' does not exist" in told.stdout
