"""Prints the OpenAPI document of a whole service: the types of the console are made of it."""

import json

from rotulus import App, TaskRegistry
from rotulus.service import service_of


def main():
    """Print it, the same each time."""
    with App("sqlite://", registry=TaskRegistry()) as app:
        document = service_of(app).openapi()
    print(json.dumps(document, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
