"""Elements of a page: what is put into one is text or another element, so that nothing of the data becomes markup.

The standard library's element tree escapes texts and attributes as it writes them.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, tostring

from sessionize.checks.text import sanitize
from sessionize.report.parts import LONGEST

Child = Element | str | None


def element(tag: str, /, *children: Child, **attributes: str | float | None) -> Element:
    """An element with children; a child or an attribute that is None is left out.

    Args:
        tag: Name of the element.
        children: Elements, or texts, in which what is not visible shows as an escape.
        attributes: By name, ``_`` for ``-``; one that ends in ``_`` without it, such as ``class_``.
    """
    found = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            found.set(name.rstrip("_").replace("_", "-"), value if isinstance(value, str) else f"{value:.6g}")
    for child in children:
        if isinstance(child, Element):
            found.append(child)
        elif child is not None:
            _append(found, visible(child))
    return found


def visible(text: str) -> str:
    """A text in one line without what cannot be seen, or steers what shows it."""
    return sanitize(text, longest=8 * LONGEST)


def _append(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def percent(share: float) -> str:
    """A place or a size as a share of what is around it.

    Examples:
        >>> percent(1 / 3)
        '33.333%'
    """
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"


def written(root: Element) -> str:
    """An element as HTML."""
    return tostring(root, encoding="unicode", method="html")
