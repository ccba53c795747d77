"""`replace` for the values that change all the time: as that of dataclasses, at a third of its cost."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")
_SAME = object()
"""In the place of a field that stays as it is."""
_COPIERS: dict[type, Callable[..., Any]] = {}


def _new_copier(kind: type) -> Callable[..., Any]:
    """A function of a value, and by name of the fields that are others.

    Its source is put together from the names of the fields, as dataclasses does for `__init__`: a loop over them would
    take twice as long.
    """
    names = [field.name for field in fields(kind)]
    lines = [
        f"def copy(value_, {', '.join(f'{name}=same_' for name in names)}):",
        "    copy_ = new_(kind_)",
        *(f"    set_{name}_(copy_, value_.{name} if {name} is same_ else {name})" for name in names),
        "    return copy_",
    ]
    # The descriptors of its slots set a field though it is frozen.
    setters = {f"set_{name}_": getattr(kind, name).__set__ for name in names}
    known: dict[str, Any] = {**setters, "new_": object.__new__, "kind_": kind, "same_": _SAME}
    exec("\n".join(lines), known)  # noqa: S102 - of nothing but names of fields
    copier: Callable[..., Any] = known["copy"]
    _COPIERS[kind] = copier
    return copier


def replace(value: Value, **changes: Any) -> Value:  # noqa: ANN401 - as dataclasses.replace
    """Return a copy of a dataclass with slots in which these fields are others.

    Raises:
        TypeError: there is no such field.
    """
    kind = type(value)
    copied: Value = (_COPIERS.get(kind) or _new_copier(kind))(value, **changes)
    return copied
