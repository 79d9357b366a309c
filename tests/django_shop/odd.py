"""Functions that are no tasks yet."""


def lonely():
    """Be without a route."""


def hasty():
    """Take longer than Pub/Sub waits."""


def plain():
    """Be no task."""
