"""The verb of an app that makes groups of jobs."""

from collections.abc import Callable
from typing import Any

from rotulus._app.engine import Engine
from rotulus._app.groups import check_group_name
from rotulus._jobs.group import Group
from rotulus._tasks.task import Task


class Grouping:
    """Makes groups."""

    _answering: Callable[[], Engine]

    def group(self, name: str, *, then: Task[..., Any, Any] | None = None) -> Group:
        """Returns a group of jobs with one callback: a run that is added to while it runs.

            with app.group("import-7", then=report) as g:
                for name in names:
                    parse.using(group=g).enqueue(name)

        Nothing is stored before it is opened, by `with`, `async with` or `open()`. A group of that
        name that is open is gone on with, in any process. Once it has ended, the name makes a new
        one.

        Args:
            name: by which it is found: printable text.
            then: the task that is run when the group is closed and all of its jobs have ended,
                however they ended. It is called with a list of `JobOutcome`, in the order in which
                the jobs were added; further parameters need a default, or a type that is filled.
                None: only a group that is there is opened, or closed.

        Raises:
            OptionError: the name is not allowed.
        """
        return Group(check_group_name(name), then, self._answering().port.groups)
