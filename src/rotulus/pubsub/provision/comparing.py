"""Compares a resource as it is to be with what there is."""

from rotulus.pubsub.provision.plan import Action, Change, Difference
from rotulus.pubsub.provision.resource import Resource


def compare(resource: Resource, route: str | None = None) -> Change:
    """Read a resource, and say what has to be done to it.

    Args:
        resource: the resource as it is to be.
        route: the path of the task that it is for.

    Raises:
        GoogleAPIError: it cannot be read.
        ForeignResourceError: it belongs to another program.
    """
    known = resource.read()
    if known is None:
        made = [Difference(name, None, value) for name, value in resource.fields.items()]
        return Change(Action.CREATE, resource, tuple(made), route)
    differences = tuple(
        Difference(name, known.get(name), value)
        for name, value in resource.fields.items()
        if known.get(name) != value
    )
    if not differences:
        return Change(Action.KEEP, resource, (), route)
    replaced = any(one.field in resource.fixed for one in differences)
    return Change(Action.REPLACE if replaced else Action.UPDATE, resource, differences, route)
