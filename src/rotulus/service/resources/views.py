"""How the sender of a request sees an app: whole for an admin, with masked secrets for others."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.requests import Request

from rotulus import App
from rotulus._app.roles import Role
from rotulus.service.principal import principal_of
from rotulus.service.problems import ProblemError
from rotulus.service.state import app_of, state_of


class View(NamedTuple):
    """How a sender sees the values of an app.

    Attributes:
        app: the app.
        role: the role of the sender.
        tracebacks: whether the sender sees the tracebacks of errors.
    """

    app: App
    role: Role
    tracebacks: bool

    @property
    def whole(self) -> bool:
        """Whether secrets are shown."""
        return self.role is Role.ADMIN

    def arguments(self, task: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments of a job, as the sender may see them."""
        return dict(arguments) if self.whole else self.app.masking.arguments(task, arguments)

    def result(self, task: str, result: Any) -> Any:
        """Returns the result of a task, as the sender may see it."""
        return result if self.whole else self.app.masking.result(task, result)

    def data(self, value: Any) -> Any:
        """Returns labels, headers, or a context, as the sender may see them."""
        return value if self.whole else self.app.masking.data(value)

    def restored(
        self, task: str, arguments: Mapping[str, Any], stored: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Returns arguments as the sender means them: what was masked stays as it is stored."""
        if self.whole:
            return dict(arguments)
        return self.app.masking.restored(task, arguments, stored)

    def check_filters(self, where: Mapping[str, Any]) -> None:
        """Raise a `ProblemError` (403) if filters ask for a secret: the answer would tell it."""
        if self.whole:
            return
        masking, task = self.app.masking, where.get("task")
        hidden = [path for path in where.get("args") or () if masking.hides(path, task)]
        hidden += [name for name in where.get("label") or () if masking.hides_name(name)]
        if hidden:
            raise ProblemError(
                403,
                "secret_filter",
                "Secrets are no filters",
                f"Only an admin may find jobs by {', '.join(map(repr, hidden))}, which is secret.",
                hint="Leave the filter out, or send the request with a token of the role admin.",
            )


def view_of(request: Request) -> View:
    """Returns how the sender of a request sees the app."""
    state = state_of(request)
    role = principal_of(request).role
    kept = state is not None and state.tracebacks is False
    return View(app_of(request), role, tracebacks=role.includes(Role.OPERATOR) and not kept)
