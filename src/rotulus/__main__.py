"""`python -m rotulus` is the same program as `rotulus`."""

from rotulus.cli import main

if __name__ == "__main__":
    main()
