"""What an event has to look like: its class says it, field by field and in their order."""

from __future__ import annotations

from typing import Any

import msgspec

from scripts.reference.events import types

TYPES = types()


def is_of_its_type(event: dict[str, Any]) -> bool:
    """Whether an event, as its readers get it or as it is stored, is one that its class would write just so."""
    kind = TYPES[event["type"]]
    own = {name: value for name, value in event.items() if name not in {"seq", "at", "ring"}}
    return msgspec.json.encode(msgspec.convert(own, kind)) == msgspec.json.encode(own)
