"""The starts of claimed posts: whatever keeps one from beginning, it is given back, and never held for nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.tasks import Tasks
from overmind_core.swarm.answers import Claimed
from overmind_core.swarm.connection import SwarmSilent
from overmind_core.swarm.host import SwarmHost
from overmind_core.swarm.starts import Starts
from overmind_core.swarm.store import HeldClaim
from overmind_core.system.paths import Home


@pytest.mark.parametrize(
    "go_on", [lambda host: host.begin(), lambda host: host.check_installed()], ids=["begin", "join"]
)
def test_a_package_that_fails_in_its_own_import_is_told_with_what_installs_it(tmp_path, monkeypatch, go_on):
    (tmp_path / "psycopg.py").write_text("raise ImportError('no pq wrapper available')")
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("psycopg", "overmind_core.swarm.connection", "overmind_core.swarm.database",
                   "overmind_core.swarm.line"):  # fmt: skip
        monkeypatch.delitem(sys.modules, module, raising=False)
    home = Home(str(tmp_path))
    (tmp_path / os.path.basename(home.swarm_url)).write_text("postgres://db/swarm")
    parts: Any = SimpleNamespace(home=home, meta_table={"swarm": "{}"})
    with pytest.raises(OvermindError) as refused:
        go_on(SwarmHost(parts))
    assert refused.value.code == "invalid"
    told = "This needs psycopg, which can't be loaded (no pq wrapper available). Install it anew with: "
    assert refused.value.message.startswith(told)


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


def test_one_under_way_when_the_store_may_be_an_older_one_is_not_refused_and_begins_later():
    """To fetch its code took until then: nothing is recorded of it before the swarm gives claims again."""
    held = HeldClaim(Claimed("p1", "quest", "a", 1, "{}", "", "move", 600.0))
    store: Any = SimpleNamespace(claims={"p1": held}, open={"p1": held})
    recorded: list[float] = []
    is_closed = True

    async def start(_held: HeldClaim, sent: Callable[[], float]) -> None:
        recorded.append(sent())

    def sent() -> float:
        if is_closed:
            raise SwarmSilent("the database was started again")
        return 7.0

    works: Any = SimpleNamespace(start=start, is_begun=lambda _held: False)

    async def begun() -> None:
        nonlocal is_closed
        tasks, over = Tasks(), asyncio.Event()
        starts = Starts(works=works, store=store, tasks=tasks, sent=sent, changed=lambda _post: over.set())
        starts.begin_all(but=())
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
        assert (list(starts.refused()), recorded, over.is_set()) == ([], [], False)
        is_closed = False
        starts.begin_all(but=())
        await asyncio.wait_for(over.wait(), 5)

    asyncio.run(begun())
    assert recorded == [7.0]
