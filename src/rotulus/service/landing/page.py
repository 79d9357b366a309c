"""The landing page, as HTML: the description of the service, and each task with its form."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from rotulus import TaskInfo
from rotulus.service.landing.fields import Field
from rotulus.service.landing.forms import form
from rotulus.service.landing.markup import Child, Markup, element, inline, markup, prose
from rotulus.service.landing.offers import Offers
from rotulus.service.state import ServiceInfo

_HERE = files("rotulus.service.landing")
_STYLE = _HERE.joinpath("page.css").read_text("utf-8")
_SCRIPT = "".join(_HERE.joinpath(f"{name}.js").read_text("utf-8") for name in ("forms", "page"))

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath fill='none' stroke='%23b3402f' stroke-width='2' stroke-linecap='round' "
    "d='M8 8a1 1 0 0 1 1 1 2.5 2.5 0 1 1-1-4 4 4 0 1 1-4 4 6 6 0 0 1 6-6h4'/%3E%3C/svg%3E"
)
_SHORT = 100
"""The characters of a signature that fits a line."""

_EXAMPLE = """\
from rotulus import task

@task(name="greet", tags=["demo"])
def greet(name: str = "World") -> dict[str, str]:
    \"\"\"Greet somebody.\"\"\"
    return {"message": f"Hello, {name}!"}
"""


@dataclass(frozen=True, slots=True)
class ShownTask:
    """A task on the page.

    Attributes:
        info: the task.
        fields: its arguments; None if it cannot be called.
        obstacle: the reason why it cannot be called.
        is_workflow: whether only workers run it.
    """

    info: TaskInfo
    fields: Sequence[Field] | None
    obstacle: str | None = None
    is_workflow: bool = False


def page(
    info: ServiceInfo, tasks: Sequence[ShownTask], offers: Offers, *, token: bool, nonce: str
) -> Markup:
    """Returns the whole page.

    Args:
        info: the description of the service.
        tasks: its tasks.
        offers: its other features.
        token: whether a request needs a token, for the curl commands.
        nonce: the nonce of this answer: nothing without it is run.
    """
    return markup(
        Markup("<!doctype html>\n"),
        element(
            "html",
            element(
                "head",
                element("meta", charset="utf-8"),
                element("meta", name="viewport", content="width=device-width, initial-scale=1"),
                element("meta", name="color-scheme", content="light dark"),
                element("title", info.display_name),
                element("link", rel="icon", href=_ICON),
                inline("style", _STYLE, nonce),
            ),
            element(
                "body",
                _header(info, offers),
                element("main", _tasks(tasks, offers), id="tasks"),
                inline("script", _SCRIPT, nonce),
                data_tasks=offers.tasks,
                data_jobs=offers.jobs,
                data_health=offers.health,
                data_token=token,
            ),
            lang="en",
        ),
    )


def _header(info: ServiceInfo, offers: Offers) -> Markup:
    health = element(
        "span", "health unknown", id="health", class_="health", role="status", hidden=True
    )
    links = [element("li", element("a", link.label, href=link.href)) for link in offers.links]
    return element(
        "header",
        element("a", "Skip to the tasks", class_="skip", href="#tasks"),
        element(
            "div",
            element("h1", info.display_name),
            element("span", info.version, class_="version", title="Version"),
            health if offers.health else None,
            class_="title",
        ),
        element("p", info.summary, class_="summary") if info.summary else None,
        element("div", prose(info.description), class_="prose") if info.description else None,
        element("nav", element("ul", links), aria_label="Documents and resources")
        if links
        else None,
    )


def _tasks(tasks: Sequence[ShownTask], offers: Offers) -> Child:
    if not tasks:
        return _teaching()
    shown = [_task(task, number, offers) for number, task in enumerate(tasks)]
    count = f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}"
    return [
        element("h2", "Tasks"),
        element("p", count, id="count", class_="quiet", role="status"),
        _filter(task.info.tags for task in tasks),
        element("div", shown, class_="tasks"),
        element("p", "No task matches.", id="none", class_="quiet", hidden=True),
    ]


def _filter(tags: Iterable[Sequence[str]]) -> Markup:
    """Returns the box and the tags that filter tasks; they need the script."""
    counted = Counter(tag for some in tags for tag in dict.fromkeys(some))
    buttons = [
        element(
            "button",
            tag,
            " ",
            element("span", str(number), class_="quiet"),
            type="button",
            class_="tag",
            data_tag=json.dumps(tag),
            aria_pressed="false",
        )
        for tag, number in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]
    return element(
        "div",
        element("label", "Filter tasks", for_="filter", class_="unseen"),
        element("input", id="filter", type="search", placeholder="Filter by name, text or tag"),
        element("div", buttons, class_="tags", role="group", aria_label="Tags")
        if buttons
        else None,
        id="picking",
        hidden=True,
    )


def _task(task: ShownTask, number: int, offers: Offers) -> Markup:
    info = task.info
    first, _, rest = (info.docstring or "").partition("\n")
    tags = [element("span", tag, class_="tag") for tag in info.tags]
    return element(
        "details",
        element(
            "summary",
            element("code", info.name, class_="name"),
            element("span", first, class_="brief") if first else None,
            element("span", "workflow", class_="tag kind") if task.is_workflow else None,
            tags,
        ),
        element(
            "div",
            element("div", prose(rest), class_="prose") if rest.strip() else None,
            _signature(info.signature),
            _call(task, number, offers),
            class_="body",
        ),
        class_="task",
        id=f"task-{info.name}",
        data_task=info.name,
        data_tags=json.dumps(info.tags),
    )


def _signature(text: str) -> Markup:
    """A signature of several lines is folded."""
    shown = element("pre", element("code", text), class_="signature", tabindex="0")
    if len(text) <= _SHORT:
        return shown
    return element("details", element("summary", "Signature"), shown)


def _call(task: ShownTask, number: int, offers: Offers) -> Child:
    """The arguments as a list, and the form that replaces the list when a task is opened."""
    if task.fields is None:
        return element("p", element("strong", "Cannot be called here: "), task.obstacle or "")
    if offers.tasks is None:
        return _reading(task.fields)
    executes = not task.is_workflow
    made = form(task.info.name, number, task.fields, executes=executes, enqueues=offers.enqueues)
    return [_reading(task.fields), element("template", made)]


def _reading(fields: Sequence[Field]) -> Markup:
    rows = [
        (
            element("dt", element("code", field.name)),
            element(
                "dd",
                field.words,
                ", required" if field.required else None,
                f", unless given: {field.default or field.initial}" if not field.required else None,
                f". {field.description}" if field.description else None,
            ),
        )
        for field in fields
    ]
    return element("dl", rows or element("dt", "It takes no arguments."), class_="reading")


def _teaching() -> Child:
    return [
        element("h2", "No task yet"),
        element(
            "p",
            "A task is a function with a name. Declare one in a module that this service imports, "
            "and start the service again:",
        ),
        element("pre", element("code", _EXAMPLE), tabindex="0"),
        element(
            "p",
            "It can then be executed and enqueued from this page, over HTTP, from Python and from "
            "the command line.",
        ),
    ]
