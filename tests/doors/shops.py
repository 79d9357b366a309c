"""An app in a module of its own, and the program run on it: on its store, or over its service."""

import os
import uuid
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from rotulus.cli.main import main
from rotulus.cli.target import load_app
from rotulus.service import service_of
from serving import served

BOTH = ("store", "service")
"""What commands work on."""

both = pytest.mark.parametrize("shop", BOTH, indirect=True)
"""A test whose shop is each of them."""

TOKEN = "of-an-admin"

HERE = frozenset({"check", "config", "cron", "dev", "migrate", "run", "serve", "worker"})
"""Commands that need the app itself."""


class Shop:
    """An app in a module of its own, and the program run on it."""

    place = "sqlite:///"

    def __init__(self, folder, source):
        self.name = f"shop_{uuid.uuid4().hex}"  # of a module that no other test has
        (folder / f"{self.name}.py").write_text(source)
        self.target = f"{self.name}:app"

    def __call__(self, *words, code=0, app=True, stdin=None):
        """Run the program; its standard output, when it ends with this code."""
        environment = self.environment(words) if app else {}
        result = CliRunner().invoke(main, list(words), env=environment, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert code == result.exit_code, result.output
        self.err = result.stderr
        return result.stdout

    def environment(self, _words):
        """The variables that a command needs."""
        return {"ROTULUS_APP": self.target}

    @property
    def app(self):
        """The app itself."""
        return load_app(self.target)


class ServedShop(Shop):
    """The same, with commands that work over its service, but for those that need the app."""

    place = "http://"

    def environment(self, words):
        """The address of the service, and its token; or where the app is."""
        draws = words[0] == "graph" and "--run" not in words
        if words[0] in HERE or words[:2] == ("ls", "workflows") or draws:
            return {"ROTULUS_APP": self.target}
        return {"ROTULUS_URL": self.address, "ROTULUS_TOKEN": TOKEN}

    @contextmanager
    def serving(self):
        """A block in which its service is there."""
        with patch.dict(os.environ, {"ROTULUS_TOKEN": TOKEN}):
            application = service_of(self.app)
        with served(application) as server:
            self.address = server.address
            yield self


@contextmanager
def opened(folder, source, what="store", kind=Shop):
    """A shop of a kind, whose commands work on a store, or over a service."""
    bases = (ServedShop, kind) if what == "service" and kind is not Shop else (ServedShop,)
    made = (type(kind.__name__, bases, {}) if what == "service" else kind)(folder, source)
    if what == "service":
        with made.serving():
            yield made
    else:
        yield made
