"""Workflows: their steps, what flows through them, and which of them run."""
