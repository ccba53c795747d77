"""What is written down of merges, and when: the next supervisor has nothing else to go by."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec

from overmind_core.daemon.state import State
from overmind_core.kernel.bus import Bus
from overmind_core.kernel.event_log import EventLog
from overmind_core.kernel.journal import Journal
from overmind_core.landing.events import WorkLanded
from overmind_core.landing.progress import MergeProgress
from overmind_core.landing.service import KEY, MergeQueue

TRACE = MergeProgress(
    "a1b2c3d4", "red", "/shop", "/shop/.git", "/scratch", "overmind/red", "main", "b" * 40, after="a" * 40,
    landing=True, lines=(212, 40),
)  # fmt: skip


def traces(state):
    return msgspec.json.decode(state.meta.get(KEY), type=dict[str, MergeProgress])


def test_the_progress_of_a_merge_that_an_earlier_version_wrote_down_is_read():
    known = msgspec.to_builtins(TRACE)
    del known["lines"]
    assert msgspec.convert(known, MergeProgress) == replace(TRACE, lines=None)


def test_a_landing_and_that_it_is_written_down_are_one_commit(tmp_path, clock):
    async def land():
        state = State.open(str(tmp_path / "state.db"))
        ledger = Journal(state.database, asyncio.get_running_loop())
        bus = Bus()
        landed: list[WorkLanded] = []
        bus.subscribe(WorkLanded, landed.append)
        unused: Any = None
        merger = MergeQueue(
            journal=ledger,
            clock=clock,
            events=EventLog(bus, ledger, clock, state.events),
            meta_table=state.meta,
            landing_table=state.landings,
            **dict.fromkeys(
                ("tasks", "phase", "registry", "missions", "workspace", "environments", "locations"), unused
            ),
        )
        ledger.save(merger.keep(TRACE))
        await ledger.saved()
        assert traces(state)[TRACE.mission].landing

        merger.record(TRACE)
        assert (state.landings.of("/shop/.git"), state.events.newest()) == ([], 0)
        assert traces(state)[TRACE.mission].landing
        await ledger.saved()
        (landing,) = state.landings.of("/shop/.git")
        assert (landing.mission, landing.before, landing.after) == (TRACE.mission, "b" * 40, "a" * 40)
        assert not traces(state)[TRACE.mission].landing, "whoever finds this trace writes nothing down again"
        (event,) = state.events.after(0, 10)
        assert event.type == "landed"
        told = msgspec.json.decode(event.data)
        assert (told["added"], told["removed"]) == (212, 40)
        assert [(one.seq, one.mission, one.target) for one in landed] == [(event.seq, TRACE.mission, "main")]

        merger.forget(TRACE.mission)
        await ledger.saved()
        assert traces(state) == {}
        ledger.close()
        state.close()

    asyncio.run(land())
