"""Artifacts: what tasks have made and others look at later, with a place in a hierarchy."""
