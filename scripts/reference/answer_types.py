"""What each command answers, as its handler's return annotation says: the types, their fields, their words."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from enum import Enum
from functools import cache
from importlib import import_module
from itertools import pairwise
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Union, get_args, get_origin, get_type_hints
from typing import is_typeddict as is_shape

import msgspec


class Answers(NamedTuple):
    """The types of one command's answers; a union stands here as its members."""

    first: tuple[Any, ...]
    """Of the one answer, or of that with which a stream begins."""
    items: tuple[Any, ...] = ()
    """Of what follows in a stream; empty for a command that never is one."""
    always: bool = True
    """Whether a command that has items always is a stream."""


class Field(NamedTuple):
    """One field of an object."""

    name: str
    type: Any
    note: str
    optional: bool


def answers(handle: Callable[..., Any]) -> Answers:
    """Resolve what a handler returns; names that it imports for its annotations alone are imported now."""
    module = sys.modules[handle.__module__]
    members = _members(get_type_hints(handle, {**vars(module), **_imports(module)}, include_extras=True)["return"])
    streams = [_members(get_args(one)[0]) for one in members if get_origin(one) is AsyncIterator]
    others = [get_args(one)[0] if get_origin(one) is Awaitable else one for one in members]
    plain = tuple(part for one in others if get_origin(one) is not AsyncIterator for part in _members(one))
    if not streams:
        return Answers(plain)
    ((first, *items),) = streams  # a stream of one type is the union of that type with itself: that type alone
    return Answers((first,), tuple(items) or (first,), always=not plain)


def _members(type_: Any) -> tuple[Any, ...]:  # noqa: ANN401 - types of every kind
    return get_args(type_) if get_origin(type_) in {Union, UnionType} else (type_,)


def _imports(module: ModuleType) -> dict[str, Any]:
    """What a module imports for its annotations alone."""
    return {
        alias.asname or alias.name: _imported(node.module, alias.name)
        for block in _tree(module).body
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
    }


def _imported(module: str, name: str) -> Any:  # noqa: ANN401 - whatever stands there
    found = import_module(module)
    return getattr(found, name) if hasattr(found, name) else import_module(f"{module}.{name}")


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def fields(shape: type) -> list[Field]:
    """Return the fields of an object, those of the shapes that it extends first."""
    notes = notes_of(shape)
    found = []
    for name, hint in get_type_hints(shape, include_extras=True).items():
        optional = get_origin(hint) is NotRequired
        type_ = get_args(hint)[0] if optional else hint
        found.append(Field(name, type_, notes.get(name, ""), optional))
    return found


def bases(shape: type) -> list[type]:
    """Return the objects that an object extends, the nearest first; at run time it does not know them."""
    names = vars(sys.modules[shape.__module__])
    class_ = _class(shape)
    found = [names[base.id] for base in class_.bases if isinstance(base, ast.Name)] if class_ is not None else []
    direct = [base for base in found if is_shape(base)]
    return [*direct, *(further for base in direct for further in bases(base))]


def notes_of(shape: type) -> dict[str, str]:
    """Return the text below each field, on one line."""
    found = {name: note for base in reversed(bases(shape)) for name, note in notes_of(base).items()}
    class_ = _class(shape)
    if class_ is None:
        return found | dict.fromkeys(shape.__annotations__, _note_of_call(shape))
    for field, text in pairwise(class_.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(note))):
                found[name] = " ".join(note.split())
    return found


def _class(shape: type) -> ast.ClassDef | None:
    """Return where an object's fields are written; None: a field is a keyword, and it is made by a call."""
    body = _tree(sys.modules[shape.__module__]).body
    return next((one for one in body if isinstance(one, ast.ClassDef) and one.name == shape.__name__), None)


def _note_of_call(shape: type) -> str:
    """Return the first paragraph of the text below an object that is made by a call: its fields have none."""
    for call, text in pairwise(_tree(sys.modules[shape.__module__]).body):
        match call, text:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(note))):
                if name == shape.__name__:
                    return " ".join(note.split("\n\n")[0].split())
    return ""


def shapes(types: tuple[Any, ...]) -> Iterator[type]:
    """Yield all objects that occur in these types, each once, in the order in which one meets them."""
    seen: dict[type, None] = {}
    waiting = list(types)
    while waiting:
        type_ = waiting.pop(0)
        if is_shape(type_):
            if type_ not in seen:
                seen[type_] = None
                waiting += [field.type for field in fields(type_)]
        elif get_origin(type_) is not Literal:
            waiting += get_args(type_)
    yield from seen


_WORDS: dict[Any, str] = {
    str: "text", int: "integer", float: "number", bool: "true or false", NoneType: "null", Any: "anything",
}  # fmt: skip


def words(type_: Any, link: Callable[[type], str]) -> str:  # noqa: ANN401 - types of every kind
    """Return a type in the words of JSON; `link` names an object."""
    if is_shape(type_):
        return link(type_)
    if closed := _values(type_):
        return " or ".join(f"`{msgspec.json.encode(value).decode()}`" for value in closed)
    origin, parts = get_origin(type_), get_args(type_)
    if origin is None:
        return _WORDS[type_]
    if origin is list:
        return f"array of {words(parts[0], link)}"
    if origin in {dict, Mapping}:
        return "object" if parts[1] is Any else f"object, text to {words(parts[1], link)}"
    return " or ".join(words(one, link) for one in (parts[:1] if origin is Annotated else parts))


def _values(type_: Any) -> tuple[Any, ...]:  # noqa: ANN401 - types of every kind
    """Return the values of a closed set."""
    if isinstance(type_, type) and issubclass(type_, Enum):
        return tuple(type_)
    return get_args(type_) if get_origin(type_) is Literal else ()


def description(type_: Any) -> str:  # noqa: ANN401 - types of every kind
    """Return what is said of an object without fields of its own."""
    return " ".join(meta.description or "" for meta in get_args(type_)[1:] if isinstance(meta, msgspec.Meta))
