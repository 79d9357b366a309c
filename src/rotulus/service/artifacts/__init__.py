"""Artifacts: products of tasks that are kept for later, with a place in a hierarchy."""
