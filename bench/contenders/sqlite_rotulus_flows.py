"""Workflows of Rotulus on a SQLite file."""

import our_flows
import sqlite_rotulus


class OnSqlite(our_flows.OurFlows, sqlite_rotulus.RotulusOnSqlite):
    """Each commit is on the disk before anybody goes on."""


CONTENDER = OnSqlite()
