"""The bus: facts that are saved, published to whoever subscribed, within the process and at once.

For facts only: a decision is a call, made through a port, since the order among subscribers says nothing to a reader.
Handlers are called in the order of subscription. One that fails is logged, and the next is called: a mistake in one
feature stops neither the others nor those who wait for the commit.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Fact = TypeVar("Fact")

_log = logging.getLogger(__name__)


class Bus:
    """Subscriptions by the type of the fact, the nearest type first. Used from the loop's thread."""

    def __init__(self) -> None:
        self._handlers: dict[type, list[Callable[[Any], object]]] = defaultdict(list)
        self._in_order: dict[type, tuple[Callable[[Any], object], ...]] = {}
        """Type of a fact → all who are told of it, as far as that was asked since the last subscription."""

    def subscribe(self, kind: type[Fact], handler: Callable[[Fact], object]) -> None:
        """Call `handler` with every fact of this type, or of a type below it, from now on."""
        self._handlers[kind].append(handler)
        self._in_order.clear()

    def publish(self, fact: object) -> None:
        """Tell everybody who subscribed to the fact's type, or to a type above it."""
        kind = type(fact)
        handlers = self._in_order.get(kind)
        if handlers is None:
            handlers = self._in_order[kind] = self._handlers_of(kind)
        for handler in handlers:
            try:
                handler(fact)
            except Exception:  # noqa: BLE001 - each feature is a boundary of its own, see above
                _log.exception("%s failed on %s", _name(handler), kind.__name__)

    def subscribers(self, kind: type) -> list[str]:
        """The names of those who are told of a fact of this type, in the order in which they are."""
        return [_name(handler) for handler in self._handlers_of(kind)]

    def _handlers_of(self, kind: type) -> tuple[Callable[[Any], object], ...]:
        return tuple(handler for above in kind.__mro__ for handler in self._handlers.get(above, ()))


def _name(handler: Callable[..., object]) -> str:
    return getattr(handler, "__qualname__", repr(handler))
