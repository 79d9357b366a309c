"""The PostgreSQL servers of the tests: where they find programs that their account can run."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from servers.postgres import QUICK, PostgresServer, embedded

pytestmark = [
    pytest.mark.anywhere,
    pytest.mark.skipif(os.getuid() != 0, reason="any other account may enter its own folders"),
]


@pytest.fixture
def closed(tmp_path):
    """A folder that only root may enter, as root's home is."""
    folder = tmp_path / "closed to others"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def folder():
    """Where a server may have its data."""
    made = Path(tempfile.mkdtemp(prefix="rotulus-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def wheel_in(closed):
    """The programs of the wheel, and the libraries beside it, as if they were installed there."""
    package = embedded().parents[1]
    shutil.copytree(package, closed / package.name)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    return closed / package.name / "pginstall" / "bin"


def test_a_wheel_in_a_closed_folder_serves(closed, folder):
    """The server runs from a copy, which has the libraries that lie beside the package."""
    server = PostgresServer(wheel_in(closed), folder, QUICK)
    try:
        server.start()
        assert server.sql("SELECT 6 * 7") == "42"
    finally:
        server.remove()


def test_the_copy_goes_with_the_server(closed, folder):
    """The copy lies in the folder of the server, which is removed with it."""
    server = PostgresServer(wheel_in(closed), folder, QUICK)
    assert list(folder.rglob("postgres"))

    server.remove()

    assert not folder.exists()


def test_a_folder_that_the_account_cannot_enter_is_named(closed):
    """When the account cannot reach the copy either, the error says where that is."""
    binaries = wheel_in(closed)
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as outside,
        pytest.raises(RuntimeError, match=f"{outside}/.*able to enter that folder"),
    ):
        PostgresServer(binaries, Path(outside) / "data", QUICK)
