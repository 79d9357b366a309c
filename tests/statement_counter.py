"""Counts the statements that this process sends to its databases."""

import sqlite3
import threading

import psycopg


class StatementCounter:
    """Counts, on every connection that is opened from now on.

    Args:
        monkeypatch: what the drivers are patched with.

    Attributes:
        said: the statements, in the order in which they were sent.
    """

    def __init__(self, monkeypatch):
        self.said = []
        self._sent = threading.Condition()
        connect = sqlite3.connect

        def open_traced(*args, **kwargs):
            connection = connect(*args, **kwargs)
            connection.set_trace_callback(self._note)
            return connection

        def traced(execute):
            def execute_traced(connection, query, *args, **kwargs):
                self._note(query if isinstance(query, str) else query.decode())
                return execute(connection, query, *args, **kwargs)

            return execute_traced

        monkeypatch.setattr(sqlite3, "connect", open_traced)
        for kind in (psycopg.Connection, psycopg.RawCursor):
            monkeypatch.setattr(kind, "execute", traced(kind.execute))

    def until(self, holds):
        """Wait until something holds of a statement that is sent from now on."""
        with self._sent:
            looked = len(self.said)
            while not any(map(holds, self.said[looked:])):
                assert self._sent.wait(30), "nothing more is sent"

    def _note(self, statement):
        # SQLite tells the statements within triggers as comments, and those that begin and end
        # transactions do not read or write anything.
        if not statement.startswith(("-- TRIGGER", "BEGIN", "COMMIT", "PRAGMA")):
            with self._sent:
                self.said.append(statement)
                self._sent.notify_all()
