"""In which order the parts of the daemon hear of a fact, written down: some rely on those before them.

A mission that ended is seen out by the terminator before its agent, its followers and the keeper hear of it; isolation
is released before its plan looks whether the next agent may begin; a quest hears of its work before the ritual that
made the quest does. That an event is news, and who is called for it, is known before those wake who read it.
"""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.agents.session import FactRead
from overmind_core.daemon.app import App
from overmind_core.daemon.state import State
from overmind_core.domain.agents.events import ActivityChanged, NotesGiven, NotificationDue, QuestionAsked, TurnFinished
from overmind_core.domain.missions.events import (
    MissionCrashed,
    MissionKilled,
    MissionRemoved,
    MissionStopped,
    RunRestarted,
)
from overmind_core.kernel.config import Settings
from overmind_core.kernel.keeper_client import KeeperStarter
from overmind_core.memory.events import MemoryChanged
from overmind_core.missions.changes import EffectDue, MissionChanged, OutputGrew, RunConcluded
from overmind_core.schedules.events import RitualChanged
from overmind_core.system.machine import SystemClock
from overmind_core.system.paths import Home, ensure_home

ORDER: dict[type, list[str]] = {
    MissionChanged: [
        "Deadlines.on_change",
        "Terminator.on_change",
        "Agents.on_change",
        "EngineQuestions.on_change",
        "Followers.on_change",
        "KeeperSync.on_change",
        "IsolationService.on_change",
        "Plans.on_change",
        "QuestService.on_change",
        "Attempts.on_change",
        "Schedules.on_change",
        "Watching.on_change",
        "SwarmHost.on_change",
    ],
    FactRead: ["Watching.on_fact", "CaptureHost.on_fact"],
    QuestionAsked: ["Unseen.on_news", "Specs.on_hold", "SwarmHost.on_question", "Followers.on_event"],
    TurnFinished: ["IsolationService.on_work", "Unseen.on_news", "Followers.on_event"],
    RunRestarted: ["Unseen.on_news", "Followers.on_event"],
    MissionStopped: ["Unseen.on_news", "Retention.on_end", "Followers.on_event"],
    MissionCrashed: ["Unseen.on_news", "Retention.on_end", "Followers.on_event"],
    MissionKilled: ["Unseen.on_news", "Retention.on_end", "Followers.on_event"],
    MissionRemoved: [
        "QuestQuestions.on_removal",
        "MemoryHost.on_removal",
        "Leases.on_removal",
        "LeftProcesses.on_removal",
        "Followers.on_event",
    ],
    NotificationDue: ["Notifications.on_notification", "Followers.on_event"],
    ActivityChanged: ["Followers.on_event"],
    RitualChanged: ["Followers.on_event"],
    RunConcluded: [
        "KeeperSync.on_conclusion",
        "OutputProgress.on_conclusion",
        "Terminator.on_conclusion",
        "LeftProcesses.on_conclusion",
        "CaptureHost.on_conclusion",
    ],
    MemoryChanged: ["LessonHost.on_memory_change", "Followers.on_event"],
    NotesGiven: ["LessonHost.on_notes_given", "Followers.on_event"],
    OutputGrew: ["Registry.on_output", "Followers.on_output", "IsolationService.on_output"],
    EffectDue: ["Effects.on_effect"],
}


@pytest.fixture
def subscribers(tmp_path):
    home = Home(str(tmp_path / "h"))
    ensure_home(home)

    async def composed():
        state = State.open(home.database)
        app = App(home, state, Settings(), KeeperStarter(home, daemon=None), SystemClock())
        found = {kind: app.bus.subscribers(kind) for kind in ORDER}
        app.close()
        state.close()
        return found

    return asyncio.run(composed())


@pytest.mark.parametrize("kind", ORDER, ids=lambda kind: kind.__name__)
def test_facts_are_told_in_this_order(subscribers, kind):
    assert subscribers[kind] == ORDER[kind]
