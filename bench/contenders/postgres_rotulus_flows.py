"""Workflows of Rotulus on PostgreSQL."""

import our_flows
import postgres_rotulus


class OnPostgres(our_flows.OurFlows, postgres_rotulus.RotulusOnPostgres):
    """The server's own settings: each commit is on the disk before anybody goes on."""


CONTENDER = OnPostgres()
