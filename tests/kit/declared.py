"""Whether JSON is of the type that is declared for it: every field there, none that is unknown, no other type.

`msgspec.convert` would do but for fields that nobody declared, which it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

PLACEHOLDERS: Mapping[str, frozenset[type]] = {
    "<number>": frozenset({int, float, NoneType}),
    "<port>": frozenset({int}),
}
"""What stands in a golden for other things than texts → types of which it may stand for one."""


def problems(value: object, type_: Any, at: str = "answer") -> Iterator[str]:
    """Yield what is wrong; `type_` as an annotation has it, already resolved."""
    origin, parts = get_origin(type_), get_args(type_)
    if origin is Annotated:
        yield from problems(value, parts[0], at)
    elif origin in {Union, UnionType}:
        yield from _of_none(value, parts, at)
    elif is_typeddict(type_):
        yield from _of_object(value, type_, at)
    elif origin is list and isinstance(value, list):
        for number, one in enumerate(value):
            yield from problems(one, parts[0], f"{at}[{number}]")
    elif origin in {dict, Mapping} and isinstance(value, dict):
        for name, one in value.items():
            yield from problems(one, parts[1], f"{at}.{name}")
    elif not _is_plain(value, type_):
        yield f"{at}: {value!r} is no {getattr(type_, '__name__', type_)}"


def _of_none(value: object, types: tuple[Any, ...], at: str) -> Iterator[str]:
    """Of a union: what is wrong with it as the one that it is most like."""
    found = [list(problems(value, one, at)) for one in types]
    yield from min(found, key=len)


def _of_object(value: object, type_: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no {type_.__name__}"
        return
    hints = get_type_hints(type_, include_extras=True)
    for name in value.keys() - hints.keys():
        yield f"{at}.{name}: is not declared in {type_.__name__}"
    for name, hint in hints.items():
        optional = get_origin(hint) is NotRequired
        if name in value:
            yield from problems(value[name], get_args(hint)[0] if optional else hint, f"{at}.{name}")
        elif not optional:
            yield f"{at}.{name}: is missing in {type_.__name__}"


def _is_plain(value: object, type_: Any) -> bool:
    if isinstance(value, str) and type_ in PLACEHOLDERS.get(value, ()):
        return True
    if type_ is Any:
        return True
    if get_origin(type_) is Literal:
        return any(value == one and type(value) is type(one) for one in get_args(type_))
    if not isinstance(type_, type) or isinstance(value, bool) is not (type_ is bool):
        return False
    if issubclass(type_, Enum):
        return value in {one.value for one in type_}
    return isinstance(value, int | float if type_ is float else type_)
