"""The conversations of plain programs on their terminals: the words of each run, and the id that it leaves behind.

An id of ours is given at the start where the program takes one, and survives any death. Where it takes none, the id is
read once the run is over: from a file of the program that names the process, or from the last lines of its screen. Of
a run that was killed only the file tells: what its screen shows then may be anything. What nothing tells for certain is
not resumed: a wrong conversation is worse than a new one, and people are told of that.
"""

from __future__ import annotations

import asyncio
import glob
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from overmind_core.domain.agents.agent import ActivityKind
from overmind_core.domain.agents.agent_events import Retry, RunVerdict
from overmind_core.domain.agents.events import ConversationLost
from overmind_core.domain.agents.terminal_words import (
    is_hopeless,
    is_id,
    plan_after_failure,
    plan_words,
    says_gone,
    says_unknown,
    told_id,
    with_words,
    words_of_run,
)
from overmind_core.domain.missions.events import StartFailed
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.providers.base import Launch
from overmind_core.providers.terminal_rows import CONVERSATIONS, conversation_words, program_of
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from overmind_core.agents.session import Session
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.agents.terminal_words import ConversationWords, OwnTerminal
    from overmind_core.domain.missions.mission import Mission, Run
    from overmind_core.missions.registry import Registry

SIGNALLED = 128
"""Exit codes from here on, and negative ones, are of what was killed."""
LARGEST_RECORD = 64 * 1024
"""Bytes. A larger one takes the loop's time; none that is known has so many."""
FIRST_LOOK, LAST_LOOK = 0.5, 16.0
"""Seconds between two looks whether the id was written down: each takes twice as long as the one before, up to this."""
MOST_RECORDS = 16
"""Files that are read: the newest, of those that were written since the run began."""
FIRST_BYTES = 512
"""Bytes at the beginning of the output, where a program may name an unknown option before it lists all of its own."""
LOST = "--- its conversation can't be resumed: it begins a new one, without what was said before ---"


class PlainConversations:
    """The conversations of programs of which nothing but their terminal is known."""

    def __init__(
        self,
        registry: Registry,
        own: Mapping[str, OwnTerminal],
        environment_of: Callable[[str], Mapping[str, str]],
        last_screen: Callable[[Run, int], list[str]],
    ) -> None:
        """`own`: a person's words by the name of the program; `environment_of`: a mission's variables."""
        self._registry = registry
        self._own = own
        self._environment_of = environment_of
        self._last_screen = last_screen

    def words(self, mission: Mission) -> ConversationWords | None:
        """The words of its program; None: it leads no conversation that is known."""
        return conversation_words(mission.definition, self._own)

    def is_known(self, mission: Mission) -> bool:
        """Return whether anything is known of the conversations of its program."""
        name = self.program(mission)
        own = self._own.get(name)
        return name in CONVERSATIONS or (own is not None and bool(own.words.start or own.words.resume))

    def program(self, mission: Mission) -> str:
        """The name of its program."""
        return program_of(mission.definition.argv)

    async def known_id(self, mission: Mission, known: Conversation) -> str:
        """The id of the conversation that it leads now; "": nothing tells it."""
        words, run = self.words(mission), self._registry.runs.get(mission.id)
        if words is None or run is None or not mission.is_live:
            return known.terminal_session
        found = await asyncio.to_thread(_recorded_id, run, words, self._environment_of(mission.id), known)
        return found or known.terminal_session

    def plan(self, session: Session, mission: Mission) -> None:
        """Decide how its next run begins, with the id that it gets."""
        state, is_lost = plan_words(session.state, self.words(mission), str(uuid4()))
        if state != session.state:
            session.put(state)
        if is_lost:
            self._registry.record(mission, ConversationLost(text=LOST))

    def launch(self, session: Session, mission: Mission) -> Launch | None:
        """How its newest run is started; None: as it was typed."""
        words = self.words(mission)
        added = () if words is None else words_of_run(session.state, words)
        return Launch(with_words(mission.definition.argv, added)) if added else None

    async def watch(self, session: Session, mission: Mission) -> None:
        """Look for the id of a conversation that its program has chosen, while it runs.

        Once it is dead, a process that it has begun is not known to be one of its own any more.
        """
        words, run, wait = self.words(mission), session.state.run, FIRST_LOOK
        if words is None or not words.records:
            return
        while True:
            await asyncio.sleep(wait)
            newest = self._registry.runs.get(mission.id)
            if session.closed or session.state.running != run or session.state.terminal_session or newest is None:
                return
            found = await asyncio.to_thread(
                _recorded_id, newest, words, self._environment_of(mission.id), session.state
            )
            if found and session.state.running == run and not session.state.terminal_session:
                session.put(replace(session.state, terminal_session=found, begun=True))
            wait = min(2 * wait, LAST_LOOK)

    def ended(self, session: Session, mission: Mission, row: Mapping[str, Any]) -> RunVerdict | None:
        """Take in what its newest run has left behind; return what that means for the next one, if anything."""
        words, run = self.words(mission), self._registry.runs.get(mission.id)
        if words is None or run is None:
            return None
        code = int(row["code"])
        was_killed = not 0 <= code < SIGNALLED
        lines = [] if was_killed else self._last_screen(run, int(row["out"]))
        told = told_id(lines, words.ends) or _recorded_id(run, words, self._environment_of(mission.id), session.state)
        if told:
            # Under an id of ours a conversation is stored with its first turn, and its record may be there before.
            is_other = told != session.state.terminal_session
            session.put(replace(session.state, terminal_session=told, begun=session.state.begun or is_other))
            return None
        has_shown = session.state.activity.doing is not ActivityKind.UNKNOWN or session.state.activity.guess is not None
        if has_shown and session.state.switched:
            session.put(replace(session.state, switched=False))
        if code == 0 or was_killed or has_shown:
            return None
        first = self._last_screen(run, min(int(row["out"]), FIRST_BYTES))
        is_unknown = says_unknown([*first, *lines], words)
        return self._after_failure(session, mission, words, is_gone=says_gone(lines, words), is_unknown=is_unknown)

    def _after_failure(
        self, session: Session, mission: Mission, words: ConversationWords, *, is_gone: bool, is_unknown: bool
    ) -> RunVerdict | None:
        before = session.state
        if before.fork is not None and is_hopeless(before, is_gone=is_gone):
            session.put(replace(before, begun=False))
            source = f"conversation {before.fork.session} of mission {before.fork.mission}"
            text = f"--- could not start: its program opens neither {source} nor a copy of it ---"
            self._registry.record(mission, StartFailed(text=text))
            return RunVerdict(failed=True, reason="wrong_start", retry=Retry.NEVER)
        after = plan_after_failure(before, words, is_gone=is_gone, is_unknown=is_unknown)
        if after == before:
            return None
        session.put(after)
        if after.unnamed and not before.unnamed:
            text = f"--- its program does not take {words.start[0]}: it is started as it was typed ---"
            self._registry.record(mission, StartFailed(text=text))
        if before.begun and not after.begun:
            text = f"--- it did not go on with conversation {before.terminal_session}: it is started under that id ---"
            self._registry.record(mission, ConversationLost(text=text))
        return None if before.switched else RunVerdict(failed=True, reason="wrong_start", retry=Retry.SWITCH)


def _recorded_id(run: Run, words: ConversationWords, environ: Mapping[str, str], state: Conversation) -> str:
    """The id in the newest record that names a process of a run; "": there is none.

    A program that copies a conversation may write down that one first.
    """
    source = "" if state.fork is None else state.fork.session
    for path in _newest_records(run.started_at or 0.0, words.records, environ.get("HOME", "")):
        try:
            data = read_small_file(path, LARGEST_RECORD)
            record = json.loads(data or b"null")
        except (OSError, ValueError, RecursionError):
            continue
        named = record.get("session_id") if isinstance(record, dict) and _is_of(run, record.get("pid")) else None
        if is_id(named) and named != source:
            return str(named)
    return ""


def _is_of(run: Run, pid: object) -> bool:
    """Return whether a process is the first one of a run, or lives in the session of its terminal, which that leads."""
    if not isinstance(pid, int) or not 0 < pid < 1 << 31:
        return False
    try:
        return pid == run.pid or os.getsid(pid) == run.pid
    except OSError:
        return False


def _newest_records(since: float, patterns: Sequence[str], home: str) -> Iterator[str]:
    """Yield the files that were written since then, the newest first."""
    found: list[tuple[float, str]] = []
    for pattern in patterns:
        if pattern.startswith("~/") and not home.startswith("/"):
            continue
        path = from_wire(pattern.replace("~", glob.escape(home), 1) if pattern.startswith("~/") else pattern)
        for one in glob.iglob(path):
            try:
                written = os.stat(one, follow_symlinks=False).st_mtime
            except OSError:
                continue
            if written >= since:
                found.append((written, one))
    return (path for _, path in sorted(found, reverse=True)[:MOST_RECORDS])
