"""Quests as the store holds them: JSON of the values of the domain."""

from __future__ import annotations

import msgspec

from overmind_core.domain.quest import Quest
from overmind_core.store.quests import StoredQuest

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Quest).decode


def row(quest: Quest) -> StoredQuest:
    """As it is stored."""
    return StoredQuest(
        id=quest.id,
        name=quest.name,
        live=quest.runs,
        status=quest.status.value,
        created_at=quest.created_at,
        ended_at=quest.ended_at,
        record=_encode(quest).decode(),
    )


def quest(stored: StoredQuest) -> Quest:
    """What `row` made of one."""
    return _decode(stored.record)
