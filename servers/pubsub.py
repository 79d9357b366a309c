"""Google's own emulator of Pub/Sub: the jar of the Debian package, on a free port of loopback.

It is part of the package `google-cloud-cli-pubsub-emulator`, and it needs Java 17.
"""

import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from servers.ports import free_port

_FOLDER = Path("/usr/lib/google-cloud-sdk/platform/pubsub-emulator/lib")

MISSING = (
    "Google's Pub/Sub emulator is not on this machine: apt-get install "
    "google-cloud-cli-pubsub-emulator openjdk-17-jre-headless"
)
"""The reason to skip a test that needs the emulator."""


def installed():
    """The words that start the emulator of this machine; None when it or Java is missing."""
    jars = sorted(_FOLDER.glob("*.jar"))
    java = shutil.which("java")
    return [java, "-jar", str(jars[-1])] if jars and java else None


def version():
    """The version of the emulator of this machine; "" without one."""
    program = installed()
    found = re.search(r"(\d[\d.]*\d)", Path(program[-1]).name) if program else None
    return found[1] if found else ""


class PubSubEmulator:
    """An emulator, from `start` to `stop`; topics and messages are in its memory only.

    Args:
        program: the words that start it: `installed()`.
        folder: where its log is; made by `start`.
    """

    def __init__(self, program, folder):
        self.folder = Path(folder)
        self._program = program
        self._process = None
        self.port = free_port()

    @property
    def host(self):
        """The value of the environment variable `PUBSUB_EMULATOR_HOST`."""
        return f"127.0.0.1:{self.port}"

    def start(self):
        """Start it, and return when it answers: about two seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [*self._program, "--host=127.0.0.1", f"--port={self.port}"]
        words[1:1] = ["-Xmx256m", "-XX:TieredStopAtLevel=1"]  # ready sooner, and small
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log)
        self._wait()

    def stop(self):
        """Stop it, and with it all it holds."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def remove(self):
        """Stop it, and take its log away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"the emulator ended: {self._log()}")
            if self._answers():
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the emulator does not answer: {self._log()}")

    def _answers(self):
        try:
            with urllib.request.urlopen(f"http://{self.host}/", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _log(self):
        return (self.folder / "log").read_text()[-2000:]
