"""`python -m rotulus`, and the script `rotulus`: the program."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Ctrl-C while all is being loaded just ends the program: nothing has begun that could be told.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from rotulus.cli import main

if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
    signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["main"]

if __name__ == "__main__":
    main()
