import pytest
from servicekit import Database, SqliteDatabaseBuilder
from chapkit.task import TaskRegistry, TaskExecutor

# Clear registry before tests
TaskRegistry.clear()

@TaskRegistry.register("test_task", tags=["test"])
async def test_task(value: str) -> dict[str, str]:
    """Test task."""
    return {"result": value.upper()}

@pytest.fixture
async def database() -> Database:
    """Create in-memory database for testing."""
    db = SqliteDatabaseBuilder().in_memory().build()
    await db.init()
    return db

@pytest.fixture
def task_executor(database: Database) -> TaskExecutor:
    """Create task executor."""
    return TaskExecutor(database)

@pytest.mark.asyncio
async def test_task_execution(task_executor: TaskExecutor):
    """Test task execution returns result directly."""
    # Execute task
    result = await task_executor.execute("test_task", {"value": "hello"})

    # Verify result
    assert result["result"] == "HELLO"

@pytest.mark.asyncio
async def test_task_registry():
    """Test task registry."""
    # Verify registration
    assert TaskRegistry.has("test_task")

    # Get metadata
    info = TaskRegistry.get_info("test_task")
    assert info.name == "test_task"
    assert info.tags == ["test"]

@pytest.mark.asyncio
async def test_dependency_injection(database: Database, task_executor: TaskExecutor):
    """Test dependency injection."""
    @TaskRegistry.register("test_injection")
    async def task_with_db(db: Database, param: str) -> dict[str, str]:
        """Task with injected database."""
        return {"param": param, "db_injected": db is not None}

    result = await task_executor.execute("test_injection", {"param": "test"})
    assert result["param"] == "test"
    assert result["db_injected"] is True
