"""Senders of requests, for tests of what a role may see and do."""


def always(sender):
    """The check of a guard that lets everybody in as this sender."""

    async def authorised(*_):
        return sender

    return authorised
