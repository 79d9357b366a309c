"""The form of a task, as HTML: a label, a control and a hint for each argument."""

from collections.abc import Sequence

from rotulus.service.landing.fields import Choice, Field
from rotulus.service.landing.markup import Child, Markup, element, markup

_INPUTS = {
    "integer": "number",
    "number": "number",
    "email": "email",
    "url": "url",
    "moment": "datetime-local",
    "day": "date",
    "time": "time",
}


def form(
    task: str, number: int, fields: Sequence[Field], *, executes: bool, enqueues: bool
) -> Markup:
    """Returns the form of a task. Only the script of the page sends it.

    Args:
        task: its name.
        number: the number of the form on the page, for its ids.
        fields: its arguments.
        executes: whether the task can be executed within a request.
        enqueues: whether it can be enqueued.
    """
    shown = [_field(field, f"f{number}-{place}") for place, field in enumerate(fields)]
    if not shown:
        shown = [element("p", "It takes no arguments.", class_="quiet")]
    return element(
        "form",
        element("div", shown, class_="fields"),
        _raw(f"f{number}-raw"),
        element(
            "div",
            _button("Execute", "execute", type_="submit", class_="main") if executes else None,
            _button("Enqueue", "enqueue", class_=None if executes else "main")
            if enqueues
            else None,
            _button("Copy as curl", "curl", class_="quiet"),
            _button("Write JSON", "raw", class_="quiet", aria_pressed="false") if fields else None,
            class_="actions",
        ),
        element("div", class_="answer", role="status", aria_label=f"Outcome of {task}"),
        aria_label=f"Arguments of {task}",
        autocomplete="off",
        novalidate=True,
    )


def _field(field: Field, id_: str) -> Markup:
    wrong = element("p", class_="wrong", id=f"{id_}-wrong", hidden=True)
    label = element("label", element("code", field.name), for_=id_)
    caption = markup(
        label,
        element("span", field.words, class_="words"),
        element("span", "required", class_="required") if field.required else None,
    )
    control = _control(field, id_)
    hint = _hint(field, f"{id_}-hint")
    if field.kind == "flag":
        return element("div", control, caption, hint, wrong, class_="field flag")
    return element("div", caption, control, hint, wrong, class_="field")


def _control(field: Field, id_: str) -> Markup:
    name = "input"
    attributes: dict[str, str | bool | None] = {
        "id": id_,
        "data_field": field.name,
        "data_kind": field.kind,
        "data_nullable": field.nullable,
        "data_required": field.required,
        "required": field.required and not field.nullable and field.kind != "flag",
        "aria_describedby": f"{id_}-hint {id_}-wrong",
        **field.limits,
    }
    content: Sequence[Child] = ()
    if field.kind == "choice":
        name, content = "select", [_option(choice, field) for choice in field.choices]
    elif field.kind in ("json", "lines"):
        name, content = "textarea", ["\n", field.initial]  # HTML takes the first line break away
        attributes |= {"rows": "3", "spellcheck": "false", "placeholder": _example(field)}
    elif field.kind == "flag":
        attributes |= {"type": "checkbox", "checked": field.initial == "true"}
    else:
        attributes |= {"type": _INPUTS.get(field.kind, "text"), "value": field.initial}
        attributes |= {"spellcheck": "false"}
        attributes |= {"step": "1"} if field.kind in ("moment", "time") else {}
    return element(name, *content, **attributes)


def _option(choice: Choice, field: Field) -> Markup:
    chosen = choice.value == field.initial
    return element("option", choice.label, value=choice.value, selected=chosen)


def _example(field: Field) -> str | None:
    """Returns an example of a value, for an empty control."""
    if field.kind != "json":
        return None
    return "[ … ]" if field.words.startswith("list") else '{ "…": … }'


def _hint(field: Field, id_: str) -> Markup:
    bounds = [
        said.format(field.limits[name]) for name, said in _BOUNDS.items() if name in field.limits
    ]
    return element(
        "div",
        element("p", field.description) if field.description else None,
        element("p", ", ".join(bounds).capitalize(), ".") if bounds else None,
        element("p", "Unless given: ", element("code", field.default)) if field.default else None,
        element("p", "In your time zone.") if field.kind == "moment" else None,
        element(
            "details",
            element("summary", "Schema"),
            element("pre", field.schema, data_json=True, tabindex="0"),
        )
        if field.schema and field.schema != "{}"
        else None,
        class_="hint",
        id=id_,
    )


_BOUNDS = {
    "min": "at least {}",
    "max": "at most {}",
    "minlength": "at least {} characters",
    "maxlength": "at most {} characters",
}


def _raw(id_: str) -> Markup:
    """Returns a control for all arguments as one JSON object."""
    return element(
        "div",
        element("label", "Arguments", for_=id_),
        element("span", "a JSON object", class_="words"),
        element(
            "textarea",
            id=id_,
            rows="8",
            spellcheck="false",
            data_raw=True,
            aria_describedby=f"{id_}-wrong",
        ),
        element("p", class_="wrong", id=f"{id_}-wrong", hidden=True),
        class_="field raw",
        hidden=True,
    )


def _button(label: str, does: str, **attributes: str | None) -> Markup:
    return element("button", label, **({"type_": "button"} | attributes | {"data_do": does}))
