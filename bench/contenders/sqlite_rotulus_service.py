"""Rotulus on a SQLite file, served as `ServiceBuilder` makes it."""

import ours
import served


@ours.task(registry=ours.registry)
async def double(x: int) -> dict[str, int]:
    """The task that is executed within a request."""
    return {"doubled": 2 * x}


class RotulusService(ours.Rotulus):
    """The tasks over HTTP; no worker runs what is enqueued."""

    def work(self):
        served.serve(self.build())

    def build(self):
        """The application."""
        from rotulus.service import ServiceBuilder, ServiceInfo  # noqa: PLC0415 - not to enqueue

        info = ServiceInfo(display_name="Bench")
        return ServiceBuilder(info=info, app=ours.app).with_tasks(served.PREFIX).build()


CONTENDER = RotulusService()
