"""Records of isolation as the store holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.isolation.record import Isolation
from overmind_core.store.isolations import StoredIsolation

if TYPE_CHECKING:
    from collections.abc import Iterable

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Isolation).decode


def row(isolation: Isolation) -> StoredIsolation:
    """The row that holds it."""
    return StoredIsolation(isolation.mission, isolation.name, isolation.source, _encode(isolation).decode())


def isolations(rows: Iterable[StoredIsolation]) -> dict[str, Isolation]:
    """What the rows hold, by mission."""
    return {one.mission: _decode(one.record) for one in rows}
