"""DBOS on PostgreSQL: a job is a workflow without steps, in a queue of its own.

With its polling a second apart, as it comes, a hundred jobs at once are 100 jobs a second; it is
asked every 0.1 s here.
"""

import signal
import time

import contender
import psycopg
from dbos import DBOS, DBOSClient


@DBOS.workflow(name="note")
def note(number):
    """The job."""
    contender.mark(number)
    return number


def launch():
    """Its engine, with our queue."""
    config = {"name": "bench", "system_database_url": contender.URL, "application_version": "1"}
    DBOS(config=config | {"run_admin_server": False, "log_level": "ERROR"})
    DBOS.launch()
    DBOS.register_queue("bench", polling_interval_sec=0.1, worker_concurrency=100)


class Dbos(contender.Contender):
    """Arguments and results are kept."""

    def prepare(self):
        launch()

    def open(self):
        self._client = DBOSClient(system_database_url=contender.URL)
        self._connection = psycopg.connect(contender.URL, autocommit=True)

    def enqueue(self, number):
        where = {"queue_name": "bench", "workflow_name": "note", "app_version": "1"}
        self._client.enqueue(where, number)

    def work(self):
        launch()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        while True:
            time.sleep(60)

    def left(self):
        return self._connection.execute(LEFT).fetchone()[0]


LEFT = """
SELECT EXISTS (SELECT FROM dbos.workflow_status WHERE status IN ('ENQUEUED', 'PENDING'))
"""


CONTENDER = Dbos()
