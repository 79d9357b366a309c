"""A service that keeps pictures and makes thumbnails of them.

    make serve                                   or
    python examples/service/main.py --port 8000

A picture becomes an artifact, and a job makes a smaller one of it, which belongs to it. A worker
in the same process runs the jobs; they are kept in a file, and survive the process.
"""

import argparse
import asyncio
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi.staticfiles import StaticFiles
from png import shrink
from pydantic import Field

from rotulus import App, Job, task
from rotulus.service import (
    ArtifactHierarchy,
    ArtifactIn,
    ArtifactManager,
    ServiceBuilder,
    ServiceInfo,
)

HERE = Path(__file__).resolve().parent
FILE = HERE.parent.parent / ".demo" / "pictures.db"

Width = Annotated[int, Field(ge=16, le=1024, description="In pixels, at most.")]


@task("pictures.thumbnail", tags=["pictures"], timeout=300)
async def make_thumbnail(
    picture: str, width: Width = 240, *, artifacts: ArtifactManager, job: Job[Any]
) -> dict[str, Any]:
    """Make a thumbnail of a picture, and keep it as an artifact below it.

    The picture is the id of an artifact that is a PNG.
    """
    large = await artifacts.content(picture)
    loop = asyncio.get_running_loop()

    def tell(done: int, total: int) -> None:
        loop.call_soon_threadsafe(job.progress, done, total, "rows")

    small = await asyncio.to_thread(shrink, large.content, width, tell)
    # The id of the job: if it is tried again, it replaces what it made, and adds nothing.
    saved = await artifacts.save(
        ArtifactIn(
            id=job.id,
            data=small,
            media_type="image/png",
            parent_id=picture,
            metadata={"filename": f"small-{large.filename or 'picture.png'}"},
        )
    )
    return {"thumbnail": saved.id, "bytes": saved.size}


FILE.parent.mkdir(exist_ok=True)
app = (
    ServiceBuilder(
        info=ServiceInfo(
            display_name="Pictures",
            summary="Keeps pictures, and makes thumbnails of them.",
            description="Upload yours in [the gallery](pictures/).",
        ),
        app=App(os.environ.get("ROTULUS_URL") or f"sqlite:///{FILE}"),
    )
    .with_landing_page()
    .with_tasks()
    .with_jobs()
    .with_artifacts(ArtifactHierarchy(name="pictures", level_labels={0: "picture", 1: "thumbnail"}))
    .with_health()
    .with_metrics()
    .with_system()
    .with_worker(slots=2)
    .build()
)
app.mount("/pictures", StaticFiles(directory=HERE / "page", html=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Pictures, and thumbnails of them.")
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free")
    port = parser.parse_args(arguments).port
    # Pages that are open elsewhere do not keep it from ending.
    config = uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=5)
    listening = config.bind_socket()
    listening.listen()
    print(f"Pictures: http://127.0.0.1:{listening.getsockname()[1]}/pictures/", flush=True)
    print("Ctrl-C ends it.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()
