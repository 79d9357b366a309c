"""The roles of those who ask an app for something at one of its doors."""

from enum import StrEnum

from rotulus._text.names import did_you_mean
from rotulus.errors import OptionError


class Role(StrEnum):
    """What somebody may do. Each role may do what the ones before it may."""

    VIEWER = "viewer"
    """Reads: everything but tokens, the audit, webhooks and secret values."""
    OPERATOR = "operator"
    """Executes and enqueues tasks; steers jobs, queues, schedules, runs and workers."""
    ADMIN = "admin"
    """Everything: also tokens, the audit, webhooks and secret values."""

    def includes(self, needed: "Role") -> bool:
        """Returns whether this role may do what another one is needed for."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS = {role: rank for rank, role in enumerate(Role)}


def read_role(text: str) -> Role:
    """Returns the role of that name. Raises `OptionError` if there is none."""
    try:
        return Role(text)
    except ValueError:
        names = list(map(str, Role))
        hint = did_you_mean(text, names)
        raise OptionError(f"There is no role {text!r}{hint} (roles: {', '.join(names)})") from None
