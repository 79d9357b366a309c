"""Routes are found in the modules of installed apps, and wrong ones are told with their modules."""

import itertools
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from rotulus.django.discovery import find_routes

NUMBERS = itertools.count()
ROUTE = "from rotulus.django import TaskRoute\ndef {0}(): ...\ntasks = [TaskRoute({0})]\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Writes files of a package that nobody else has, and gives its name."""
    name = f"project{next(NUMBERS)}"
    monkeypatch.syspath_prepend(tmp_path)

    def write(**files):
        for path, text in files.items():
            file = tmp_path / name / f"{path.replace('__', '/')}.py"
            for folder in [*reversed(file.relative_to(tmp_path).parents)][1:]:
                (tmp_path / folder).mkdir(exist_ok=True)
                (tmp_path / folder / "__init__.py").touch()
            file.write_text(text.format("work") if "{0}" in text else text)
        return name

    yield write
    for module in [one for one in sys.modules if one.partition(".")[0] == name]:
        del sys.modules[module]


def found(*apps, **settings):
    """The paths of the routes of a project with these apps."""
    with override_settings(INSTALLED_APPS=["rotulus.django", *apps], **settings):
        return [route.path for route in find_routes()]


def test_routes_of_every_app_are_found(project):
    """In the module `tasks`, or in the module `registry` of a package `tasks`."""
    name = project(mail__tasks=ROUTE, news__tasks__registry=ROUTE, plain__models="")

    paths = [f"{name}.mail.tasks.work", f"{name}.news.tasks.registry.work"]
    assert paths == found(f"{name}.mail", f"{name}.news", f"{name}.plain")
    assert [*reversed(paths)] == found(f"{name}.news", f"{name}.mail")


def test_a_package_may_give_the_list_of_its_registry(project):
    """It is one list, and no duplicate."""
    name = project(
        mail__tasks__registry=ROUTE, mail__tasks____init__="from .registry import tasks\n"
    )

    assert [f"{name}.mail.tasks.registry.work"] == found(f"{name}.mail")


def test_modules_are_a_setting(project):
    """Others are not looked into, and not imported."""
    name = project(mail__registry=ROUTE, mail__tasks="raise RuntimeError\n")

    assert [f"{name}.mail.registry.work"] == found(
        f"{name}.mail", ROTULUS_TASK_MODULES=["registry"]
    )


def test_apps_are_a_setting(project):
    """Each with those below it; what is not chosen is not imported."""
    name = project(
        own__mail__tasks=ROUTE,
        own__tasks="",
        other__tasks="raise RuntimeError\n",
        own2__tasks="1 / 0",
    )
    apps = [f"{name}.own.mail", f"{name}.own", f"{name}.other", f"{name}.own2"]

    assert [f"{name}.own.mail.tasks.work"] == found(*apps, ROTULUS_TASK_APPS=[f"{name}.own"])
    assert [] == found(*apps, ROTULUS_TASK_APPS=[])


def test_an_app_that_is_not_installed_is_refused(project):
    """The message names one that is alike."""
    name = project(mail__tasks=ROUTE)

    with pytest.raises(ImproperlyConfigured, match=rf"did you mean '{name}\.mail'"):
        found(f"{name}.mail", ROTULUS_TASK_APPS=[f"{name}.mial"])


@pytest.mark.parametrize("given", ["mail", [1], {"mail"}, 5])
@pytest.mark.parametrize("setting", ["ROTULUS_TASK_APPS", "ROTULUS_TASK_MODULES"])
def test_a_setting_that_is_no_list_of_texts_is_refused(setting, given):
    """The message names it."""
    with pytest.raises(ImproperlyConfigured, match=f"settings.{setting} is .*list of texts"):
        found(**{setting: given})


def test_a_task_with_two_routes_is_refused_with_both_modules(project):
    """In two apps, or twice in a list."""
    name = project(mail__tasks=ROUTE)
    project(
        news__tasks=f"from rotulus.django import TaskRoute\nfrom {name}.mail.tasks import work\n"
        "tasks = [TaskRoute(work)]\n",
        both__tasks="from rotulus.django import TaskRoute\ndef work(): ...\n"
        "tasks = [TaskRoute(work), TaskRoute(work, ack_deadline=60)]\n",
    )

    with pytest.raises(
        ImproperlyConfigured,
        match=rf"{name}\.mail\.tasks\.work has a route in {name}\.mail\.tasks and in {name}\.news\.tasks",
    ):
        found(f"{name}.mail", f"{name}.news")
    with pytest.raises(ImproperlyConfigured, match=rf"a route in {name}\.both\.tasks twice"):
        found(f"{name}.both")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def work(): ...\ntasks = [work]\n", "has <function work .*> as entry 1"),
        (ROUTE + "tasks.append('work')\n", "has 'work' as entry 2"),
        ("tasks = {}\n", "is a dict"),
        ("tasks = 'work'\n", "is a str"),
    ],
)
def test_what_is_no_route_is_refused(project, text, problem):
    """The message names the module, and the setting that leaves it out."""
    name = project(mail__tasks=text)

    with pytest.raises(
        ImproperlyConfigured, match=rf"{name}\.mail\.tasks\.tasks {problem}.*ROTULUS_TASK_APPS"
    ):
        found(f"{name}.mail")


def test_a_module_that_is_called_tasks_is_no_list(project):
    """As where a package imports one."""
    name = project(mail__tasks____init__="from . import tasks\n", mail__tasks__tasks="")

    assert [] == found(f"{name}.mail")


def test_a_module_that_cannot_be_imported_says_how_to_leave_it_out(project):
    """The error stays what it is."""
    name = project(mail__tasks="import nothing_of_this_name\n")

    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name") as caught:
        found(f"{name}.mail")
    assert "ROTULUS_TASK_APPS" in caught.value.__notes__[0]
