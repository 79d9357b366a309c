from chapkit.task import TaskRegistry, TaskExecutor, TaskRouter
from chapkit.api import ServiceBuilder, ServiceInfo
from servicekit import Database
from servicekit.api.dependencies import get_database
from fastapi import Depends

# Clear registry on module reload (for development)
TaskRegistry.clear()

# Register Python task with tags
@TaskRegistry.register("greet_user", tags=["demo", "simple"])
async def greet_user(name: str = "World") -> dict[str, str]:
    """Simple task that returns a greeting."""
    return {"message": f"Hello, {name}!"}

# Task with dependency injection
@TaskRegistry.register("process_data", tags=["demo", "injection"])
async def process_data(database: Database) -> dict[str, object]:
    """Dependencies are automatically injected."""
    return {"status": "processed", "database_url": str(database.url)}

# Build service
info = ServiceInfo(display_name="Task Service")

def get_task_executor(database: Database = Depends(get_database)) -> TaskExecutor:
    """Provide task executor for dependency injection."""
    return TaskExecutor(database)

task_router = TaskRouter.create(
    prefix="/api/v1/tasks",
    tags=["Tasks"],
    executor_factory=get_task_executor,
)

app = (
    ServiceBuilder(info=info)
    .with_health()
    .include_router(task_router.router)
    .build()
)
