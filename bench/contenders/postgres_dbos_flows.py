"""Workflows of DBOS on PostgreSQL."""

import dbos_flows

CONTENDER = dbos_flows.DbosFlows()
