"""An app in a web application that serves it: its lifespan, and whether it can work."""

from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from rotulus._app.lifespan import Lifespan, trouble
from rotulus._app.standing import Standing
from rotulus._app.worker_runs import WorkOptions, check_work_options
from rotulus._concurrency.pool import off_loop


class Serving:
    """Serves in a web process."""

    _own: Standing
    arun_worker: Callable[..., Coroutine[Any, Any, None]]
    _lifespan: Lifespan | None = None

    def lifespan(self, *, worker: bool | WorkOptions = False) -> Lifespan:
        """The lifespan of a web application that serves this app: `FastAPI(lifespan=...)`.

        The app boots with the application: everything is checked, and the registry is frozen until
        the application ends. The app stays open.

        Args:
            worker: whether a worker runs beside the application, in a thread; or its options, which
                are those of `run_worker`. At the end it finishes what it runs, as long as `drain`.
        """
        options: WorkOptions = {} if isinstance(worker, bool) else worker
        check_work_options(options)
        work = None if worker is False else partial(self.arun_worker, **options)
        self._lifespan = Lifespan(self._served, work)
        return self._lifespan

    def readiness(self) -> dict[str, str | None]:
        """What has to hold for the app to do its work, each with what is wrong, or None.

        `store`: it can be used, and has the tables of this version. `worker`: that of `lifespan`
        has not ended, if there is one.
        """
        found = {"store": trouble(self._own.active.ready_store)}
        if self._lifespan is not None and self._lifespan.has_worker:
            found["worker"] = self._lifespan.problem
        return found

    async def areadiness(self) -> dict[str, str | None]:
        """`readiness`, without blocking the event loop."""
        return await off_loop(self.readiness)

    @contextmanager
    def _served(self) -> Generator[None, None, None]:
        active = self._own.active
        with active.boot.held():
            active.ready_store()
            yield
