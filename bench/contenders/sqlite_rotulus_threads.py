"""Rotulus on a SQLite file, with plain functions, which run in threads."""

import ours
import sqlite_rotulus

CONTENDER = sqlite_rotulus.RotulusOnSqlite(ours.plain)
