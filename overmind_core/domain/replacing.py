"""`replace` for the values that change all the time: as that of dataclasses, at a quarter of its cost."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = TypeVar("Value")


class _Copier(NamedTuple):
    """How the fields of one class are read all at once, and set one by one, though it is frozen."""

    read: Callable[[Any], tuple[Any, ...]]
    setters: tuple[Callable[[Any, Any], None], ...]
    by_name: Mapping[str, Callable[[Any, Any], None]]


_COPIERS: dict[type, _Copier] = {}


def _new_copier(kind: type) -> _Copier:
    names = [field.name for field in fields(kind)]
    by_name = {name: getattr(kind, name).__set__ for name in names}  # the descriptors of its slots
    copier = _COPIERS[kind] = _Copier(attrgetter(*names), tuple(by_name.values()), by_name)
    return copier


def replace(value: Value, **changes: Any) -> Value:  # noqa: ANN401 - as dataclasses.replace
    """Return a copy of a dataclass with slots, of two fields at least, in which these fields are others.

    Raises:
        KeyError: there is no such field.
    """
    kind: type[Any] = type(value)
    copier = _COPIERS.get(kind) or _new_copier(kind)
    copy: Value = object.__new__(kind)
    for set_, item in zip(copier.setters, copier.read(value), strict=True):
        set_(copy, item)
    for name, item in changes.items():
        copier.by_name[name](copy, item)
    return copy
