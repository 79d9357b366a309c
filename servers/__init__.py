"""Servers that tests and bench start for themselves, on free ports of this machine only."""
