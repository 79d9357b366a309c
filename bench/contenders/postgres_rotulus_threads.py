"""Rotulus on PostgreSQL, with plain functions, which run in threads."""

import ours
import postgres_rotulus

CONTENDER = postgres_rotulus.RotulusOnPostgres(ours.plain)
