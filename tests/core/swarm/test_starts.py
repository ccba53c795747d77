"""The starts of claimed posts: whatever keeps one from beginning, it is given back, and never held for nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.tasks import Tasks
from overmind_core.swarm.answers import Claimed
from overmind_core.swarm.starts import Starts
from overmind_core.swarm.store import HeldClaim


def refused_for(error: Exception) -> list[str]:
    """Why a claim is given back whose start has met this error."""
    held = HeldClaim(Claimed("p1", "quest", "a", 1, msgspec.json.encode({}).decode(), "", "move", 600.0))
    store: Any = SimpleNamespace(claims={"p1": held}, open={"p1": held})

    async def start(_held: HeldClaim, _sent: object) -> None:
        raise error

    works: Any = SimpleNamespace(start=start, is_begun=lambda _held: False)

    async def begun() -> list[str]:
        over = asyncio.Event()
        starts = Starts(works=works, store=store, tasks=Tasks(), sent=lambda: 0.0, changed=lambda _post: over.set())
        starts.begin_all(but=())
        await asyncio.wait_for(over.wait(), 5)
        return [reason for _, reason in starts.refused()]

    return asyncio.run(begun())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OvermindError("invalid", "Post p1 is no quest."), "Post p1 is no quest."),
        (ValueError("odd"), "ValueError: odd"),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
        (PermissionError(13, "Permission denied", "/x"), "PermissionError: [Errno 13] Permission denied: '/x'"),
    ],
)
def test_what_can_not_be_started_here_is_given_back_with_the_reason(error, reason):
    assert refused_for(error) == [reason]
