from fastapi import Depends, FastAPI
from servicekit import Database
from servicekit.api.dependencies import get_database, get_scheduler
from sqlalchemy.ext.asyncio import AsyncSession

from chapkit.api import ServiceBuilder, ServiceInfo
from chapkit.artifact import ArtifactHierarchy, ArtifactIn, ArtifactManager, ArtifactRepository
from chapkit.scheduler import ChapkitScheduler
from chapkit.task import TaskExecutor, TaskRegistry, TaskRouter

TaskRegistry.clear()

# Define artifact hierarchy for task results
TASK_HIERARCHY = ArtifactHierarchy(
    name="task_results",
    level_labels={0: "task_run"}
)

# Advanced executor factory with scheduler and artifacts
async def get_task_executor(
    database: Database = Depends(get_database),
    scheduler = Depends(get_scheduler),
) -> TaskExecutor:
    """Provide task executor with scheduler and artifact manager."""
    async with database.session() as session:
        artifact_repo = ArtifactRepository(session)
        artifact_manager = ArtifactManager(artifact_repo, hierarchy=TASK_HIERARCHY)
        if isinstance(scheduler, ChapkitScheduler):
            return TaskExecutor(database, scheduler, artifact_manager)
        return TaskExecutor(database)

@TaskRegistry.register("with_dependencies")
async def with_dependencies(
    database: Database,
    session: AsyncSession,
    custom_param: str = "default"
) -> dict[str, object]:
    """Dependencies automatically injected at runtime."""
    # Framework types are injected, user params come from request
    return {"database_url": str(database.url), "custom_param": custom_param}

@TaskRegistry.register("add", tags=["math"])
async def add(a: int, b: int) -> dict[str, int]:
    """Add two numbers."""
    return {"result": a + b}

@TaskRegistry.register("multiply_numbers", tags=["math"])
def multiply(a: int, b: int) -> dict[str, int]:
    """Synchronous task that multiplies numbers."""
    # Sync functions are automatically wrapped for async execution
    return {"result": a * b}

@TaskRegistry.register("failing_task", tags=["demo"])
async def failing_task() -> dict[str, object]:
    """A task that fails."""
    raise ValueError("Something went wrong")

@TaskRegistry.register("spawn_background_job", tags=["admin", "background"])
async def spawn_background_job(
    scheduler: ChapkitScheduler,
    processing_time: int = 60
) -> dict[str, object]:
    """Task that spawns a background job for long-running work."""

    async def background_work():
        """The actual long-running work."""
        import asyncio
        await asyncio.sleep(processing_time)
        return {"status": "completed", "processing_time": processing_time}

    # Spawn background job
    job_id = await scheduler.spawn(
        background_work(),
        description=f"Background processing ({processing_time}s)"
    )

    return {
        "message": "Background job started",
        "job_id": str(job_id),
        "check_status": f"/api/v1/jobs/{job_id}"
    }

@TaskRegistry.register("store_analysis_results", tags=["analytics", "storage"])
async def store_analysis_results(
    artifact_manager: ArtifactManager,
    dataset_name: str,
    analysis_type: str
) -> dict[str, object]:
    """Task that stores analysis results as artifacts."""

    # Perform analysis
    results = {
        "dataset": dataset_name,
        "type": analysis_type,
        "metrics": {
            "accuracy": 0.95,
            "precision": 0.92,
            "recall": 0.89
        },
        "timestamp": "2024-01-15T10:30:00Z"
    }

    # Store in artifact hierarchy
    artifact = await artifact_manager.save(
        ArtifactIn(
            data=results,
            metadata={
                "dataset": dataset_name,
                "analysis_type": analysis_type
            }
        )
    )

    return {
        "status": "stored",
        "artifact_id": str(artifact.id),
        "retrieve_url": f"/api/v1/artifacts/{artifact.id}"
    }

@TaskRegistry.register("orchestrate_pipeline", tags=["pipeline", "orchestration"])
async def orchestrate_pipeline(
    scheduler: ChapkitScheduler,
    artifact_manager: ArtifactManager,
    pipeline_config: dict
) -> dict[str, object]:
    """Task that orchestrates multi-step pipeline with job tracking and artifact storage."""

    # Store pipeline configuration as artifact
    config_artifact = await artifact_manager.save(
        ArtifactIn(
            data=pipeline_config,
            metadata={"type": "pipeline_config"}
        )
    )

    # Define pipeline steps as background jobs
    async def step_1():
        result = {"step": 1, "status": "completed", "data": [1, 2, 3]}
        # Store step result
        await artifact_manager.save(ArtifactIn(
            data=result,
            metadata={"step": 1, "pipeline_config_id": str(config_artifact.id)}
        ))
        return result

    async def step_2():
        result = {"step": 2, "status": "completed", "data": [4, 5, 6]}
        await artifact_manager.save(ArtifactIn(
            data=result,
            metadata={"step": 2, "pipeline_config_id": str(config_artifact.id)}
        ))
        return result

    # Spawn jobs for each step
    job_1 = await scheduler.spawn(step_1(), description="Pipeline Step 1")
    job_2 = await scheduler.spawn(step_2(), description="Pipeline Step 2")

    return {
        "message": "Pipeline started",
        "config_artifact_id": str(config_artifact.id),
        "jobs": {
            "step_1": str(job_1),
            "step_2": str(job_2)
        },
        "monitor": {
            "jobs": "/api/v1/jobs",
            "artifacts": f"/api/v1/artifacts/{config_artifact.id}/$expand"
        }
    }

async def process_step(i: int) -> int:
    return i * i

@TaskRegistry.register("long_task", tags=["processing", "batch"])
async def long_task(artifact_manager: ArtifactManager) -> dict[str, object]:
    """Task with progress tracking via artifacts."""
    total_steps = 10
    results = []

    for i in range(total_steps):
        # Do work
        step_result = await process_step(i)
        results.append(step_result)

        # Store intermediate progress
        await artifact_manager.save(ArtifactIn(
            data={"step": i, "total": total_steps, "result": step_result}
        ))

    return {
        "status": "complete",
        "steps_completed": total_steps,
        "results": results
    }

# Create task router
task_router = TaskRouter.create(
    prefix="/api/v1/tasks",
    tags=["Tasks"],
    executor_factory=get_task_executor,
)

# Build service with jobs and artifacts
app: FastAPI = (
    ServiceBuilder(info=ServiceInfo(display_name="Advanced Task Service"))
    .with_landing_page()
    .with_logging()
    .with_health()
    .with_system()
    .with_jobs(max_concurrency=5)          # Enable job scheduler
    .with_artifacts(hierarchy=TASK_HIERARCHY)  # Enable artifact storage
    .include_router(task_router.router)
    .build()
)
