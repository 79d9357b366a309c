"""`client.push`: how the jobs of a service are pushed, and what one of its processes answered."""

from rotulus import PushPlan, PushProcess, PushWanted
from rotulus._app.resources.push import PATIENCE
from rotulus._time.lengths import Seconds, check_seconds
from rotulus.client.calls import Call, data_of, get, query_of, reader
from rotulus.client.wire import Wire
from rotulus.events import PushAnswered

_wanted, _plan = reader(PushWanted), reader(PushPlan)
_deliveries, _process = reader(list[PushAnswered]), reader(PushProcess)


class Push:
    """The pushes of a service, with the verbs of `app.push`, each also with an `a` in front.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def wanted(self) -> PushWanted:
        """Returns the resources that the routes want: topics, subscriptions, scheduler jobs."""
        return self._wire.send(get("/push", _wanted))

    def plan(self, *, patience: Seconds | None = None) -> PushPlan:
        """Have the service ask Google. Returns how what is there differs; nothing is changed.

        Args:
            patience: seconds, 120 at most; what was not looked at then is a problem of the plan.
                20 unless given.

        Raises:
            OptionError: the patience is not allowed.
            ServiceError: the service has no routes, or a setting or credentials are missing.
        """
        return self._wire.send(_planned(patience))

    def deliveries(
        self, limit: int | None = None, *, refused: bool | None = None
    ) -> list[PushAnswered]:
        """Returns the last pushes of the process that answers this request, the last one first.

        Args:
            limit: at most so many; 100 unless given.
            refused: only those that were refused, or only the others; both unless given.
        """
        return self._wire.send(_delivered(limit, refused))

    def process(self) -> PushProcess:
        """Returns the process that answers this request: each has deliveries of its own."""
        return self._wire.send(_answering())

    async def awanted(self) -> PushWanted:
        """`wanted`, for coroutines."""
        return await self._wire.asend(get("/push", _wanted))

    async def aplan(self, *, patience: Seconds | None = None) -> PushPlan:
        """`plan`, for coroutines."""
        return await self._wire.asend(_planned(patience))

    async def adeliveries(
        self, limit: int | None = None, *, refused: bool | None = None
    ) -> list[PushAnswered]:
        """`deliveries`, for coroutines."""
        return await self._wire.asend(_delivered(limit, refused))

    async def aprocess(self) -> PushProcess:
        """`process`, for coroutines."""
        return await self._wire.asend(_answering())


def _planned(patience: Seconds | None) -> Call[PushPlan]:
    longer = PATIENCE if patience is None else check_seconds(patience, "patience")
    body = data_of(patience=patience)
    return Call("POST", "/push/$plan", _plan, body=body, repeatable=True, seconds=longer)


def _delivered(limit: int | None, refused: bool | None) -> Call[list[PushAnswered]]:
    query = query_of(limit=limit, refused=refused)
    return get("/push/$deliveries", lambda body: _deliveries(body["items"]), query)


def _answering() -> Call[PushProcess]:
    return get("/push/$deliveries", _process, query_of(limit=1))
