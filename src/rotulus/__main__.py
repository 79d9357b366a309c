"""`python -m rotulus`, and the script `rotulus`: the program."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Ctrl-C during the imports just ends the program: nothing has begun yet.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from rotulus.cli import main

if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
    signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["main"]

if __name__ == "__main__":
    main()
