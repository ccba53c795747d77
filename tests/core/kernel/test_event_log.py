"""What is recorded is stored as it always was, told once it is saved, and read again whoever wrote it."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from overmind_core.daemon.state import State
from overmind_core.domain.agents.events import MessageResent, NotificationDue, QuestionAnswered, TurnFinished
from overmind_core.domain.events import Event, MissionEvent
from overmind_core.domain.missions.events import MissionCreated, MissionStopped, MissionStopping, RunExited
from overmind_core.errors import OvermindError
from overmind_core.isolation.events import PreparationStep
from overmind_core.kernel import event_log
from overmind_core.kernel.bus import Bus
from overmind_core.kernel.database import DiskFull
from overmind_core.kernel.event_log import EventLog, EventTable, stored
from overmind_core.kernel.journal import Journal
from overmind_core.notifications import api
from overmind_core.plans.events import AgentSkipped, PlanChanged
from overmind_core.quests.events import QuestChanged
from overmind_core.schedules.events import RitualChanged
from overmind_core.system.paths import Home
from tests.kit.cases import tabled
from tests.kit.in_process import LoopClock, ScriptedKeeper, run, supervising

AT = 1800000000.5
HEAD: dict[str, Any] = {"mission": "a1", "name": "api"}
RUN: dict[str, Any] = {**HEAD, "run": 2, "out": 0, "err": 7}
HAS_HEAD = '"mission":"a1","name":"api"'
HAS_RUN = f'{HAS_HEAD},"run":2,"out":0,"err":7'
AS_EVER = [
    (MissionCreated(**HEAD), f'"type":"created",{HAS_HEAD}'),
    (RunExited(**RUN, exit_code=None), f'"type":"exited",{HAS_RUN},"exit_code":null'),
    (MissionStopped(**RUN), f'"type":"stopped",{HAS_RUN}'),
    (MissionStopped(**RUN, reason=None, exit_code=0), f'"type":"stopped",{HAS_RUN},"reason":null,"exit_code":0'),
    (MissionStopping(**RUN, text=None, cause="kill"), f'"type":"stopping",{HAS_RUN},"cause":"kill"'),
    (MissionStopping(**RUN, text="", cause="stop"), f'"type":"stopping",{HAS_RUN},"text":"","cause":"stop"'),
    (PreparationStep(**RUN, text="--- ü ---", step="ü"), f'"type":"preparing",{HAS_RUN},"text":"--- ü ---","step":"ü"'),
    (MessageResent(**RUN, text="again"), f'"type":"message_resent",{HAS_RUN},"text":"again"'),
    (MessageResent(**RUN, text="again", message=3), f'"type":"message_resent",{HAS_RUN},"text":"again","message":3'),
    (
        QuestionAnswered(**RUN, question=1, by=None, behaviour=None, summary=None),
        f'"type":"answered",{HAS_RUN},"question":1,"by":null,"behaviour":null,"summary":null',
    ),
    (
        TurnFinished(**RUN, ok=False, reason="api_error", cost_usd=0.0, turns=1, duration_ms=12.0),
        f'"type":"turn_ended",{HAS_RUN},"ok":false,"reason":"api_error","cost_usd":0.0,"turns":1,"duration_ms":12.0',
    ),
    (
        AgentSkipped(**RUN, text="t", agent="a", stage="skipped", child=None, exit_code=None),
        f'"type":"agent_skipped",{HAS_RUN},"text":"t","agent":"a","stage":"skipped","child":null,"exit_code":null',
    ),
    (PlanChanged(**RUN, text="t", changes=("+ a",)), f'"type":"plan_changed",{HAS_RUN},"text":"t","changes":["+ a"]'),
    (PlanChanged(**RUN, text="t", changes=()), f'"type":"plan_changed",{HAS_RUN},"text":"t","changes":[]'),
    (QuestChanged(**HEAD, status="running"), f'"type":"quest",{HAS_HEAD},"status":"running"'),
    (
        QuestChanged(**HEAD, status="failed", reason=None, exit_code=3),
        f'"type":"quest",{HAS_HEAD},"status":"failed","reason":null,"exit_code":3',
    ),
    (
        RitualChanged(ritual="r1", name="nightly", what="paused"),
        '"type":"ritual","ritual":"r1","name":"nightly","what":"paused"',
    ),
    (
        RitualChanged(ritual="r1", name="nightly", what="run", number=1, status="running"),
        '"type":"ritual","ritual":"r1","name":"nightly","what":"run","number":1,"status":"running"',
    ),
]
"""An event, and how it has been stored since there are events."""


@tabled(("event", "text"), AS_EVER, ids=repr)
def test_it_is_stored_as_ever_byte_for_byte(event, text):
    assert stored(event, AT) == f'{{{text},"at":1800000000.5}}'


class Log:
    """An event log, and who hears of what."""

    def __init__(self, path):
        loop = asyncio.get_running_loop()
        self.state = State.open(str(path / "state.db"))
        self.journal = Journal(self.state.database, loop)
        self.bus = Bus()
        self.heard: list[tuple[str, Event]] = []
        self.events = EventLog(self.bus, self.journal, LoopClock(), self.state.events)

    def subscribe(self, *kinds: type[Event]) -> None:
        for kind in kinds:
            self.bus.subscribe(kind, lambda event, kind=kind: self.heard.append((kind.__name__, event)))  # type: ignore[misc]

    def close(self) -> None:
        self.journal.close()
        self.state.close()


def test_who_subscribed_to_its_type_hears_of_it_once_it_is_saved_before_who_hears_of_all(tmp_path):
    async def play():
        log = Log(tmp_path)
        log.subscribe(Event, MissionEvent, RunExited, MissionCreated)
        log.events.record(RunExited(**RUN, exit_code=3), run="a1.2")
        assert log.heard == []
        await log.journal.saved()
        assert [kind for kind, _ in log.heard] == ["RunExited", "MissionEvent", "Event"]
        (row,) = log.state.events.after(0, 10)
        assert {(event.seq, event.at) for _, event in log.heard} == {(row.seq, row.at)}
        assert (row.type, row.mission, row.run) == ("exited", "a1", "a1.2")
        log.close()

    run(play())


def test_nobody_hears_of_what_could_not_be_saved_before_it_is_and_then_once(tmp_path, monkeypatch):
    async def play():
        log = Log(tmp_path)
        log.subscribe(RunExited)
        with monkeypatch.context() as full:
            full.setattr(log.state.events, "append", _full)
            log.events.record(RunExited(**RUN, exit_code=3))
            with pytest.raises(DiskFull):
                await log.journal.saved()
            assert log.heard == []
        await log.journal.saved()
        assert [event.seq for _, event in log.heard] == [1]
        log.close()

    run(play())


def _full(*_: object, **__: object) -> int:
    raise DiskFull("state.db", "no room")


def test_the_newest_are_told_by_mission_whatever_else_happened(tmp_path):
    async def play():
        log = Log(tmp_path)
        for event in (RunExited(**RUN, exit_code=0), MissionStopped(**HEAD), MissionCreated(mission="b2", name="web")):
            log.events.record(event)
        await log.journal.saved()
        assert log.state.events.newest_of([RunExited, MissionCreated]) == {"a1": 1, "b2": 3}
        log.close()

    run(play())


OLD = [
    '{"type":"moved_house","mission":"a1","whither":["x",{"y":null}],"at":5.25}',
    '{"type":"exited","mission":"a1","run":1,"exit_code":3,"core":true,"at":6.0}',
    '{"type":"notification","at":7.0}',
]
"""A type that nobody knows, a field that nobody knows, and fields that are missing."""


def test_what_others_have_recorded_is_passed_on_as_it_is(tmp_path):
    home = Home(str(tmp_path / "h"))

    async def play():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as daemon:
            with daemon.app.state.transaction():
                for text in OLD:
                    event = json.loads(text)
                    daemon.app.state.events.append(event["at"], event["type"], text, mission=event.get("mission"))
        async with supervising(home, keeper) as daemon:
            return [item async for item in daemon.stream("events")]

    head, *items = run(play())
    assert head == {"oldest": 1}
    assert [json.dumps(item, separators=(",", ":")) for item in items] == [
        '{"seq":1,"type":"moved_house","mission":"a1","whither":["x",{"y":null}],"at":"1970-01-01T00:00:05.250Z"}',
        '{"seq":2,"type":"exited","mission":"a1","run":1,"exit_code":3,"core":true,"at":"1970-01-01T00:00:06.000Z"}',
        '{"seq":3,"type":"notification","at":"1970-01-01T00:00:07.000Z"}',
    ]


def test_what_is_streamed_is_what_was_recorded(tmp_path):
    home = Home(str(tmp_path / "h"))

    async def play():
        async with supervising(home, ScriptedKeeper(home)) as daemon:
            for event, _ in AS_EVER:
                daemon.app.events.record(event)
            return [item async for item in daemon.stream("events")]

    _, *items = run(play())
    assert [json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items] == [
        f'{{"seq":{seq},{text},"at":"2027-01-15T08:00:00.000Z"}}' for seq, (_, text) in enumerate(AS_EVER, 1)
    ]


def test_a_field_without_a_default_is_there_also_when_it_is_null_and_others_are_absent():
    assert MissionStopped().reason is UNSET
    assert '"reason":null' in stored(MissionStopped(reason=None), AT)
    assert "mission" not in stored(RitualChanged(ritual="r1", name="n", what="run"), AT)


# of some types alone

TYPES = ("paused", "thawed", "asked")
LOGS = st.lists(st.sampled_from(TYPES), max_size=40)


@given(types=LOGS, wanted=st.sets(st.sampled_from(TYPES), min_size=1), data=st.data())
def test_a_scan_finds_each_event_of_its_types_once_in_order_whatever_was_trimmed(types, wanted, data):
    with (
        TemporaryDirectory() as folder,
        closing(State.open(f"{folder}/state.db")) as state,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(event_log, "SCANNED", data.draw(st.integers(1, 9), label="scanned"))
        with state.transaction():
            for kind in types:
                state.events.append(AT, kind, "{}")
            state.events.trim(keep=data.draw(st.integers(0, 40), label="kept"))
        since = data.draw(st.integers(0, 45), label="since")
        limit = data.draw(st.integers(1, 5), label="limit")
        found: list[int] = []
        seq, before = since, -1
        while seq != before:
            before = seq
            page, seq = state.events.scan(seq, limit, wanted)
            found += [row.seq for row in page]
        kept = state.events.after(since, 100)
        assert found == [row.seq for row in kept if row.type in wanted]
        assert seq == max(since, state.events.newest())


def test_a_stream_of_one_type_neither_wakes_for_others_nor_reads_them(tmp_path, monkeypatch):
    home = Home(str(tmp_path / "h"))
    read: list[str] = []
    looks: list[int] = []
    decode, scan = api._decode, EventTable.scan

    def counted_decode(data):
        read.append(data)
        return decode(data)

    def counted_scan(table, seq, *more):
        looks.append(seq)
        return scan(table, seq, *more)

    monkeypatch.setattr(api, "_decode", counted_decode)
    monkeypatch.setattr(EventTable, "scan", counted_scan)

    async def play():
        async with supervising(home, ScriptedKeeper(home)) as daemon:
            stream = daemon.stream("events", types=["notification"], follow=True)
            assert await anext(stream) == {"oldest": 0}
            following = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            for _ in range(50):
                daemon.app.events.record(RunExited(**RUN, exit_code=3))
                await daemon.app.journal.saved()
                await asyncio.sleep(0)
            before = len(looks)
            daemon.app.events.record(NotificationDue(**HEAD, why="blocked", now="?"))
            item = await following
            await stream.aclose()
            return before, item

    before, item = run(play())
    assert (item["seq"], item["type"]) == (51, "notification")
    assert before <= 2, "only its beginning"
    assert len(read) == 1


@pytest.mark.parametrize("types", [[], ["asked"], ["exited"]], ids=str)
def test_what_was_trimmed_is_gone_whatever_is_asked_for(tmp_path, types):
    home = Home(str(tmp_path / "h"))

    async def play():
        async with supervising(home, ScriptedKeeper(home)) as daemon:
            for _ in range(20):
                daemon.app.events.record(RunExited(**RUN, exit_code=3))
            daemon.app.journal.flush()
            with daemon.app.state.transaction():
                daemon.app.state.events.trim(keep=5)
            for since in (1, 14):
                with pytest.raises(OvermindError, match="have been removed") as refused:
                    await daemon.ask("events", types=types, since=since)
                assert (refused.value.code, refused.value.fields) == ("gone", {"oldest": 16})
            return [[item["seq"] async for item in daemon.stream("events", types=types, since=since) if "seq" in item]
                    for since in (0, 15, 18, 20, 1000)]  # fmt: skip

    kept = [] if types == ["asked"] else list(range(16, 21))
    assert run(play()) == [[seq for seq in kept if seq > since] for since in (0, 15, 18, 20, 1000)]
