"""C-01 to C-17: the registry as the third source document has it, with its own examples."""

import pytest

from rotulus import ParameterInfo, TaskInfo
from rotulus import TaskRegistry as Registry
from rotulus import registry as TaskRegistry  # as the import map says

pytestmark = pytest.mark.requirement


@pytest.fixture(autouse=True)
def empty():
    """The document clears the registry before each test."""
    before = list(TaskRegistry)
    TaskRegistry.clear()
    yield
    TaskRegistry.clear()
    [TaskRegistry.add(found) for found in before]


def register_both():
    """The document's first example."""

    @TaskRegistry.register("my_task", tags=["processing", "etl"])
    async def my_task(param: str) -> dict[str, object]:
        """Task docstring."""
        return {"result": param.upper()}

    def another_task(x: int) -> dict[str, int]:
        """Another task."""
        return {"doubled": x * 2}

    TaskRegistry.register_function("double_it", another_task, tags=["math"])
    return my_task, another_task


def test_C_01_the_registry_is_global():
    """One object, for everybody who imports it."""
    from rotulus._tasks.registry import registry

    assert TaskRegistry is registry
    assert isinstance(TaskRegistry, Registry)


def test_C_02_register_takes_a_name_and_tags():
    """The tags may be left out."""
    TaskRegistry.register("plain")(lambda: None)
    TaskRegistry.register("tagged", tags=["a"])(lambda: None)

    assert [[], ["a"]] == [TaskRegistry.get_info(n).tags for n in ("plain", "tagged")]


def test_C_03_several_names_may_be_stacked():
    """Each is an entry, and the function stays the function it is."""

    @TaskRegistry.register("first", tags=["x"])
    @TaskRegistry.register("second", tags=["y"])
    def body():
        return 5

    assert ["second", "first"] == TaskRegistry.list_all()
    assert 5 == body()
    assert "function" == type(body).__name__


def test_C_04_a_function_is_registered_imperatively():
    """Under the name that is given."""
    _, another_task = register_both()

    assert TaskRegistry.get("double_it").function is another_task


@pytest.mark.parametrize("name", ["a.b", "a b", "a/b", "", "ä", "a$", "a\n"])
def test_C_05_names_are_url_safe(name):
    """Letters, digits, underscores and hyphens; the decorator refuses before the function."""
    with pytest.raises(ValueError, match="must be URL-safe"):
        TaskRegistry.register(name)
    with pytest.raises(ValueError, match="must be URL-safe"):
        TaskRegistry.register_function(name, lambda: None)

    assert [] == TaskRegistry.list_all()
    for good in ("a-B_9", "0", "_", "-"):
        TaskRegistry.register(good)(lambda: None)


def test_C_06_names_are_unique():
    """A second one raises."""
    register_both()
    with pytest.raises(ValueError, match="Task 'my_task' already registered"):
        TaskRegistry.register("my_task")(lambda: None)


def test_C_07_has():
    """Says whether a name is there."""
    register_both()

    assert TaskRegistry.has("my_task") is True
    assert TaskRegistry.has("your_task") is False


def test_C_08_get_info():
    """Name, docstring, signature, parameters and tags."""
    register_both()
    info = TaskRegistry.get_info("my_task")

    assert isinstance(info, TaskInfo)
    assert ("my_task", "Task docstring.", ["processing", "etl"]) == (
        info.name,
        info.docstring,
        info.tags,
    )
    with pytest.raises(KeyError, match="Task 'nobody' not found in registry"):
        TaskRegistry.get_info("nobody")


def test_C_09_the_signature_reads_as_written():
    """With its annotations."""
    register_both()

    assert "(param: str) -> dict[str, object]" == TaskRegistry.get_info("my_task").signature


def test_C_09_also_with_postponed_annotations():
    """What is written as text is resolved."""
    namespace = {}
    exec(
        compile(
            "from __future__ import annotations\n"
            "async def my_task(param: str) -> dict[str, object]: ...",
            "postponed",
            "exec",
        ),
        namespace,
    )
    TaskRegistry.register_function("postponed", namespace["my_task"])
    info = TaskRegistry.get_info("postponed")

    assert "(param: str) -> dict[str, object]" == info.signature
    assert "<class 'str'>" == info.parameters[0].annotation


def test_C_10_tags_keep_their_order():
    """As given."""
    TaskRegistry.register("a", tags=["z", "a", "m"])(lambda: None)

    assert ["z", "a", "m"] == TaskRegistry.get_info("a").tags


def test_C_11_list_all_is_in_order_of_registration():
    """As in the document's example."""
    register_both()

    assert ["my_task", "double_it"] == TaskRegistry.list_all()


def test_C_12_list_by_tags_wants_them_all():
    """The document's examples."""
    register_both()
    TaskRegistry.register("extract_data", tags=["data", "etl", "extract"])(lambda: None)
    TaskRegistry.register("transform_data", tags=["data", "etl", "transform"])(lambda: None)

    assert ["double_it"] == TaskRegistry.list_by_tags(["math"])
    assert ["extract_data", "transform_data"] == TaskRegistry.list_by_tags(["data", "etl"])
    assert ["extract_data"] == TaskRegistry.list_by_tags(["etl", "extract"])
    assert TaskRegistry.list_all() == TaskRegistry.list_by_tags([])


def test_C_13_clear_empties_it():
    """So that a module can be loaded again."""
    for _ in range(3):
        TaskRegistry.clear()
        register_both()

    assert 2 == len(TaskRegistry.list_all())


def test_C_14_both_kinds_of_functions_with_defaults():
    """Returning a dict or None."""
    import asyncio

    @TaskRegistry.register("sync")
    def sync(a: int, b: int = 2) -> dict | None:
        return {"sum": a + b}

    @TaskRegistry.register("asynchronous")
    async def asynchronous(a: int = 1) -> None: ...

    assert {"sum": 3} == sync(1)
    assert asyncio.run(asynchronous()) is None
    assert [False, True] == [TaskRegistry.get(name).is_async for name in ("sync", "asynchronous")]


def test_C_15_task_info_has_these_fields():
    """And a docstring may be missing."""
    TaskRegistry.register("bare")(lambda x: x)
    info = TaskRegistry.get_info("bare")

    assert ["name", "docstring", "signature", "parameters", "tags"] == list(vars(info))
    assert (None, "(x)") == (info.docstring, info.signature)


def test_C_16_parameter_info_has_these_fields():
    """In order, without the starred ones."""

    def body(a, b: int, *args, c: float = 1.5, **kwargs): ...

    TaskRegistry.register_function("body", body)

    assert [
        ParameterInfo("a", None, None, True),
        ParameterInfo("b", "<class 'int'>", None, True),
        ParameterInfo("c", "<class 'float'>", "1.5", False),
    ] == TaskRegistry.get_info("body").parameters


def test_C_17_a_default_is_shown_as_it_is_written():
    """With its quotes."""

    @TaskRegistry.register("greet")
    async def greet(name: str = "World") -> dict[str, str]: ...

    assert [ParameterInfo("name", "<class 'str'>", "'World'", False)] == TaskRegistry.get_info(
        "greet"
    ).parameters
