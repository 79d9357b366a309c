"""Threads, and what they share: nothing here knows what a job is."""
