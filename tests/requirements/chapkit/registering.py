from chapkit.task import TaskRegistry

TaskRegistry.clear()

# Register with decorator
@TaskRegistry.register("my_task", tags=["processing", "etl"])
async def my_task(param: str) -> dict[str, object]:
    """Task docstring."""
    return {"result": param.upper()}

# Or register imperatively
def another_task(x: int) -> dict[str, int]:
    """Another task."""
    return {"doubled": x * 2}

TaskRegistry.register_function("double_it", another_task, tags=["math"])

# Check registration
assert TaskRegistry.has("my_task")

# Get task metadata
info = TaskRegistry.get_info("my_task")
assert info.signature == "(param: str) -> dict[str, object]"
assert info.tags == ["processing", "etl"]

# List all tasks
all_tasks = TaskRegistry.list_all()
assert all_tasks == ["my_task", "double_it"]

# Filter by tags (requires ALL tags)
math_tasks = TaskRegistry.list_by_tags(["math"])
assert math_tasks == ["double_it"]

@TaskRegistry.register("extract_data", tags=["data", "etl", "extract"])
async def extract_data() -> dict:
    """Extract data from source."""
    return {"records": 100}

@TaskRegistry.register("transform_data", tags=["data", "etl", "transform"])
async def transform_data() -> dict:
    """Transform extracted data."""
    return {"transformed": True}

# Filter tasks that have ALL specified tags
etl_tasks = TaskRegistry.list_by_tags(["data", "etl"])
assert etl_tasks == ["extract_data", "transform_data"]

extract_tasks = TaskRegistry.list_by_tags(["etl", "extract"])
assert extract_tasks == ["extract_data"]

# Several names on one function
@TaskRegistry.register("dev_setup", tags=["dev", "setup"])
@TaskRegistry.register("prod_setup", tags=["prod", "setup"])
@TaskRegistry.register("urgent_task", tags=["high-priority"])
async def set_up() -> dict:
    return {"ready": True}

assert TaskRegistry.list_by_tags(["setup"]) == ["prod_setup", "dev_setup"]
