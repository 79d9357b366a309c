"""The rules of the house, held by a machine: sizes, words, imports, and what is documented."""

import ast
import inspect
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import rotulus
import rotulus.pubsub
import rotulus.workflow
import rotulus_graph
from rotulus import errors, events, store
from rotulus.cli.main import COMMANDS, EXIT_CODES
from rotulus.config import SETTINGS

pytestmark = pytest.mark.anywhere

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
MODULES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
DOCS = {page.name: page.read_text() for page in (ROOT / "docs").glob("*.md")}

MOST_LINES = 400
MOST_BODY = 60
MOST_METHODS = 15
STORE_METHODS = 20
"""The cap of the contract, and so of every store."""


@cache
def tree_of(path):
    """The syntax tree of a file."""
    return ast.parse(path.read_text())


def trees(paths):
    """Each file and its syntax tree."""
    return [(path, tree_of(path)) for path in paths]


def functions(tree):
    """Every function of a file."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function):
    """The lines of a function's body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_no_file_is_longer_than_four_hundred_lines():
    """When it would be, there is a noun that wants out."""
    files = [*MODULES, *SOURCE.rglob("*.sql")]

    assert [] == [str(f) for f in files if len(f.read_text().splitlines()) > MOST_LINES]


def test_no_function_is_longer_than_sixty_lines():
    """Most have fewer than ten."""
    long = [
        f"{path.name}:{function.lineno} {function.name}"
        for path, tree in trees(MODULES)
        for function in functions(tree)
        if body_lines(function) > MOST_BODY
    ]

    assert [] == long


def test_no_class_has_more_than_fifteen_public_methods():
    """Stores have as many as the contract, which has a cap of its own."""
    wide = {}
    for path, tree in trees(MODULES):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                count = sum(
                    not f.name.startswith("_")
                    and "property" not in [getattr(d, "id", "") for d in f.decorator_list]
                    for f in node.body
                    if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
                )
                cap = (
                    STORE_METHODS
                    if node.name in ("Store", "SqliteStore", "PostgresStore")
                    else MOST_METHODS
                )
                if count > cap:
                    wide[f"{path.name}: {node.name}"] = count

    assert {} == wide


def test_no_function_nests_deeper_than_four():
    """A deeper one hides another function."""

    def depth(node, level=0):
        nests = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith)
        inner = [depth(c, level + isinstance(c, nests)) for c in ast.iter_child_nodes(node)]
        return max(inner, default=level)

    deep = [
        f"{path.name}:{function.lineno} {function.name}"
        for path, tree in trees(MODULES)
        for function in functions(tree)
        if depth(function) > 4
    ]

    assert [] == deep


def test_every_module_says_in_a_sentence_what_it_owns():
    """On its first line."""
    silent = [
        str(path.relative_to(SOURCE))
        for path, tree in trees(MODULES)
        if not re.match(r"[A-Z`].*[.:?]$", (ast.get_docstring(tree) or "").split("\n")[0])
    ]

    assert [] == silent


def test_no_room_has_a_name_that_says_nothing():
    """Utils, helpers, and their like."""
    banned = {"utils", "util", "common", "helpers", "helper", "base", "core", "manager", "misc"}

    assert [] == [path.name for path in MODULES if path.stem.strip("_") in banned]


def test_public_names_are_sorted_and_real():
    """And shown where users find them."""
    for module in (rotulus, errors, events, store, rotulus.pubsub, rotulus.workflow, rotulus_graph):
        assert len(module.__all__) == len(set(module.__all__))
        assert [] == [name for name in module.__all__ if not hasattr(module, name)]
    for package in (rotulus, rotulus.pubsub, rotulus.workflow):
        assert sorted(package.__all__, key=lambda n: (n[0].islower(), n)) == package.__all__
        names = [name for name in package.__all__ if name[0].isupper()]
        homes = {getattr(package, name).__module__ for name in names}
        assert homes <= {package.__name__, "rotulus", "rotulus.errors"}
        assert set(dir(package)) >= set(package.__all__)
        with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
            package.nonsense
    assert "rotulus" == rotulus.ConfigurationError.__module__


def test_everything_public_is_documented():
    """Classes, and their public methods."""
    silent = []
    public = [(rotulus, name) for name in rotulus.__all__]
    public += [(rotulus.pubsub, name) for name in rotulus.pubsub.__all__]
    public += [(rotulus.workflow, name) for name in rotulus.workflow.__all__]
    public += [(rotulus_graph, name) for name in rotulus_graph.__all__]
    for package, name in public:
        value = getattr(package, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            members = [(name, value)]
            if inspect.isclass(value) and value.__module__ == package.__name__:
                members += [
                    (f"{name}.{n}", m)
                    for n, m in vars(value).items()
                    if not n.startswith("_") and (inspect.isfunction(m) or isinstance(m, property))
                ]
            silent += [n for n, member in members if not inspect.getdoc(member)]

    assert [] == silent


def test_imports_point_downward():
    """The contracts of pyproject.toml are kept."""
    program = Path(sys.executable).with_name("lint-imports")
    told = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)

    assert told.returncode == 0, told.stdout


def test_no_import_hides_in_a_function():
    """What a module needs stands at its top."""
    hidden = [
        f"{path.name}:{node.lineno}"
        for path, tree in trees(MODULES)
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert [] == hidden


def test_nothing_can_run_code_from_a_row():
    """No pickle and no eval anywhere; names are imported for commands, stores, drivers, apps and services."""
    banned = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "runpy", "code"}
    found = []
    for path, tree in trees(MODULES):
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names = [node.func.id] if node.func.id in ("eval", "exec", "__import__") else []
            found += [
                f"{path.name}: {name}"
                for name in names
                if name.split(".")[0] in banned or name in ("eval", "exec", "__import__")
            ]
            if isinstance(node, ast.Name) and node.id == "import_module":
                assert path.name in (
                    "main.py",
                    "__init__.py",
                    "_lazy.py",
                    "target.py",
                    "opening.py",
                    "database.py",
                    "store.py",
                    "_progress.py",
                    "discovery.py",
                    "service.py",
                ), path
    assert [] == found


def test_a_worker_loads_nothing_heavy():
    """No web framework, no ORM, no terminal library, no client of a cloud, no numpy."""
    code = (
        "import sys; from rotulus import App, task\n"
        "app = App('sqlite://')\n"
        "job = task('t')(lambda: 1).enqueue(); app.run_worker(burst=True)\n"
        "heavy = ['fastapi', 'starlette', 'uvicorn', 'sqlalchemy', 'aiosqlite', 'rich', 'click']\n"
        "heavy += ['django', 'django_tasks', 'numpy', 'google', 'grpc', 'jwt', 'cryptography']\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout == "[]\n"


def test_checkers_are_silenced_nowhere():
    """No ignore comment for a type checker in the package."""
    loud = [
        f"{path.name}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"#\s*(type:\s*ignore|pyright:|mypy:)", line)
    ]

    assert [] == loud


def test_every_linter_exception_has_a_reason_where_it_stands():
    """On its line, or for a whole rule in pyproject.toml."""
    bare = [
        f"{path.name}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "# noqa" in line
        and not re.search(r"# noqa: [A-Z0-9, ]+ - \w|# noqa: (N818|ASYNC109)", line)
    ]

    assert [] == bare


def test_every_error_is_documented():
    """In docs/errors.md, with its exit code."""
    missing = [name for name in errors.__all__ if f"`{name}`" not in DOCS["errors.md"]]

    assert [] == missing
    for kind, code in EXIT_CODES:
        assert re.search(rf"`{kind.__name__}` .*\| {code} \|", DOCS["errors.md"]), kind


def test_the_tree_of_errors_is_the_one_that_is_drawn():
    """In the docstring of the module."""
    drawn = re.findall(r"(\w+(?:Error|Warning))\b", errors.__doc__.split("\n\n", 1)[1])
    drawn = [name for name in drawn if name in errors.__all__]

    assert set(errors.__all__) == set(drawn)
    kinds = (errors.RotulusError, errors.RotulusWarning)
    assert all(issubclass(getattr(errors, name), kinds) for name in errors.__all__)


def test_every_kind_of_event_is_listed():
    """And has a line in the log, unless its kind has no level."""
    listed = {getattr(events, name) for name in events.__all__} - {events.Event, events.Events}

    assert listed == {kind for kind in events.Event.kinds if kind.__module__.startswith("rotulus")}
    assert [] == [kind for kind in listed if kind.is_logged() != ("line" in vars(kind))]


def test_every_event_is_documented():
    """In docs/workers.md."""
    names = [name for name in events.__all__ if name not in ("Event", "Events")]

    assert [] == [name for name in names if f"`{name}`" not in DOCS["workers.md"]]


def test_every_command_is_documented():
    """In docs/cli.md."""
    assert [] == [name for name in COMMANDS if f"`{name}" not in DOCS["cli.md"]]


def test_every_setting_is_documented():
    """Somewhere in the guide."""
    guide = "".join(DOCS.values())

    assert [] == [name for name in SETTINGS if f"`{name}`" not in guide]


def test_every_option_is_documented():
    """In docs/tasks.md or docs/delivery.md."""
    from rotulus._tasks.options import TaskOptions, UsingOptions

    names = {*TaskOptions.__annotations__, *UsingOptions.__annotations__}
    guide = DOCS["tasks.md"] + DOCS["delivery.md"]

    assert [] == [name for name in names if f"`{name}`" not in guide and f"{name}=" not in guide]


def test_every_test_says_what_it_holds():
    """In one sentence of its own."""
    silent = [
        f"{path.name}:{function.lineno} {function.name}"
        for path, tree in trees(TESTS)
        for function in functions(tree)
        if function.name.startswith("test_")
        and not re.match(r"[A-Z`].*[.?]$", (ast.get_docstring(function) or "").replace("\n", " "))
    ]

    assert [] == silent


def test_no_test_sleeps():
    """Clocks are set, and awaited moments are waited for; the bodies of tasks may take their time."""
    allowed = {"factory.py"}
    sleeping = [
        f"{path.name}:{node.lineno}"
        for path, tree in trees(sorted((ROOT / "tests").rglob("*.py")))
        if path.name not in allowed
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ]

    assert [] == sleeping


def test_no_test_mocks_our_own_modules():
    """What is tested is the real thing."""
    mocking = [
        p.name for p in TESTS if re.search(r"unittest\.mock|MagicMock|mocker\b", p.read_text())
    ]

    users = "test_testing.py"  # holds that the tests of users can mock a task's methods
    assert [path for path in mocking if path not in (Path(__file__).name, users)] == []
