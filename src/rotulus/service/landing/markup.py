"""HTML as values: all text becomes markup in one place, and is escaped there."""

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that HTML does not allow, and halves of characters."""

_SPECIAL = re.compile(
    r"(?P<ticks>`+)(?P<code>[^`\n]+)(?P=ticks)"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<target>(?:https?://|(?![\w+.-]*:))[\w/.~%?&=#:+-]+)\)"
)
"""Code, and a link to a page of the web or of the service itself; never a script."""

_VOID = frozenset({"input", "link", "meta"})


class Markup(str):
    """Text that is HTML already; only this module makes it."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"
"""The content of an element: markup, text to be escaped, several of these, or nothing."""


def markup(*children: Child) -> Markup:
    """Returns the content of an element, as HTML."""
    return Markup("".join(_parts(children)))


def element(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """Returns an element.

    Args:
        name: such as `p`.
        children: its content.
        attributes: its attributes: `class_="wide"`, `data_kind="text"`. Those that are None or
            False are left out; those that are True have no value.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{markup(children)}</{name}>")


def inline(name: str, content: str, nonce: str) -> Markup:
    """Returns a script or a style of ours, unescaped: no such file holds its own end tag."""
    return Markup(f"<{name}{_attribute('nonce', nonce)}>\n{content}</{name}>")


def prose(text: str | None) -> Markup:
    """Returns the paragraphs of a docstring, with `code` and [links](/docs)."""
    paragraphs = re.split(r"\n(?:[ \t]*\n)+", (text or "").strip("\n"))
    return markup(element("p", _pieces(text)) for text in paragraphs if text.strip())


def _pieces(paragraph: str) -> Iterable[Child]:
    """Yields the plain text, code and links of a paragraph, in their order."""
    end = 0
    for found in _SPECIAL.finditer(paragraph):
        yield paragraph[end : found.start()]
        code, label, target = found["code"], found["label"], found["target"]
        yield element("code", code) if code else element("a", label, href=target)
        end = found.end()
    yield paragraph[end:]


def _parts(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Markup):
            yield child
        elif isinstance(child, str):
            yield _escaped(child)
        elif child is not None:
            yield from _parts(child)


def _attribute(key: str, value: str | int | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    return escape(_UNFIT.sub("\N{REPLACEMENT CHARACTER}", text))
