"""The command line: `rotulus`, and `python -m rotulus`."""

from rotulus.cli.main import main

__all__ = ["main"]
