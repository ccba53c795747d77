"""The part of docs/api.md about answers: of each command, and the objects that several commands answer."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any, get_origin

from overmind_core.daemon.routes import TABLE
from scripts.reference.answer_types import Answers, Field, answers, bases, description, fields, shapes, words

SHAPES = """\
## Objects

Several commands return these objects, or return answers that contain them. A newer daemon can add fields.
"""
FEW = 4
"""Fields of another object that are rather said again."""


def section(name: str) -> list[str]:
    """Return what one command answers: a sentence, then the objects that it alone has."""
    told = answers(TABLE[name].handle)
    own = [shape for shape in shapes((*told.first, *told.items)) if shape not in _shared()]
    return [f"Answers with: {_sentence(told)}.\n", *_objects("`{}`: ", own)]


def objects() -> str:
    """Return the section about what several commands have."""
    return "\n".join([SHAPES, *_objects("### {}\n\n", _shared())])


@cache
def _shared() -> list[type]:
    """Return the objects of more than one command, in the order in which commands have them."""
    every = [answers(row.handle) for row in TABLE.values()]
    counts = Counter(shape for told in every for shape in shapes((*told.first, *told.items)))
    return [shape for shape, count in counts.items() if count > 1]


def _sentence(told: Answers) -> str:
    first = " or ".join(map(_type, told.first))
    items = " or ".join(map(_type, told.items))
    if not items:
        return first
    if told.always:
        return f"a stream: {first}, then items: {items}"
    return f"{first}; with `follow` a stream that begins so, then items: {items}"


def _type(type_: Any) -> str:  # noqa: ANN401 - types of every kind
    if get_origin(type_) is Annotated:
        return f"{words(type_, _link)} ({description(type_).rstrip('.')})"
    return words(type_, _link)


def _link(shape: type) -> str:
    name = shape.__name__
    return f"[`{name}`](#{name.lower()})" if shape in _shared() else f"`{name}`"


def _objects(title: str, all_: Sequence[type]) -> Iterator[str]:
    """Yield what is said of each; one that extends another of these says only what it adds."""
    for number, shape in enumerate(all_):
        base = next((one for one in bases(shape) if one in all_[:number] and len(fields(one)) > FEW), None)
        inherited = {field.name for field in fields(base)} if base is not None else set()
        said = " ".join((inspect.getdoc(shape) or "").split())
        more = f" All of {_link(base)}, and:" if base is not None else ""
        own = [field for field in fields(shape) if field.name not in inherited]
        yield "\n".join([f"{title.format(shape.__name__)}{said}{more}\n", *_table(own)])


def _table(own: Sequence[Field]) -> Iterator[str]:
    rows = [
        f"| `{field.name}` | {words(field.type, _link)}{', or absent' if field.optional else ''} | {field.note} |"
        for field in own
    ]
    if rows:
        yield "\n".join(["| field | type | |", "|---|---|---|", *rows]) + "\n"
