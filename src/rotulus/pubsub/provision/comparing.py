"""Compares a wanted resource with the existing one."""

from rotulus.pubsub.provision.plan import Action, Change, Difference
from rotulus.pubsub.provision.resource import Resource


def compare(resource: Resource, route: str | None = None) -> Change:
    """Read a resource. Returns the work that it needs.

    Args:
        resource: the wanted resource.
        route: the path of its task.

    Raises:
        GoogleAPIError: the resource cannot be read.
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
