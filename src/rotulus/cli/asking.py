"""Asks somebody before something is changed, and ends the program where Ctrl-C is the answer."""

import sys

import click

INTERRUPTED = 130
"""What a program ends with that somebody has stopped by Ctrl-C: 128 and the number of SIGINT."""


def ask(question: str) -> bool | None:
    """Whether somebody agrees; None when there is nobody to answer.

    Ctrl-C ends the program with 130, and says that nothing was done.
    """
    try:
        return click.confirm(question, err=True)
    except click.Abort as error:
        click.echo(err=True)
        if isinstance(error.__context__, KeyboardInterrupt):  # click ends a question so, too
            click.echo("Interrupted: nothing was done.", err=True)
            sys.exit(INTERRUPTED)
        return None
