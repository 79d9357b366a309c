"""A run whose counters were damaged goes on, and it is said aloud."""

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import rotulus.workflow as wf
from fundamentals.flows import put
from rotulus import App
from rotulus._engine.duties import Recount
from rotulus.testing import drain


def test_what_waits_for_nothing_is_mended_and_logged_as_an_error(registry, tmp_path, caplog):
    """By a duty, and the run comes to its end."""
    with wf.WorkflowBuilder("flow", registry=registry):
        wf.task(id="one")(put(one=1))
    with App(f"sqlite:///{tmp_path}/jobs.db", registry=registry) as app:
        run = app.enqueue("flow")
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection, connection:
            connection.execute(
                "UPDATE rotulus_jobs SET state = 'blocked', waits_for = 1 WHERE step = 'one'"
            )
        [duty] = [d for d in app._own.worker_runs.duties(app.store) if isinstance(d, Recount)]
        with caplog.at_level(logging.ERROR, "rotulus"):
            assert duty.tick(datetime.now(UTC)) > 1
        drain(app)

        assert "succeeded" == run.refresh().state
    assert 1 == [record.levelname for record in caplog.records].count("ERROR")
    assert "mended 1 job that waited for what had ended" in caplog.text
