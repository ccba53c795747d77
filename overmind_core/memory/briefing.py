"""The briefing of runs: notes chosen on a thread that reads, saved before anything is started, the same again.

The key is the conversation: a run that goes on where another one stopped is given the same bytes, in every daemon, but
for notes that were purged meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.memory.block import ASK, clean, render, tokens
from overmind_core.domain.memory.choice import LONGEST, MOST_PATHS, Candidate, Corpus, choose, stems_of
from overmind_core.domain.memory.giving import GivenNotes, Injection
from overmind_core.domain.memory.notes import NoteKind, NoteState
from overmind_core.domain.memory.words import paths
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.file_pattern import matches
from overmind_core.memory.given import Given, GivenRow
from overmind_core.memory.opened import secret_of
from overmind_core.memory.recall import Finding, recall
from overmind_core.memory.tables import Chosen

if TYPE_CHECKING:
    from overmind_core.agents.ports import BriefingRequest
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.settings import MemorySettings
    from overmind_core.memory.access import NoteAccess
    from overmind_core.memory.answer_types import Used, UsedNote
    from overmind_core.memory.opened import Reading, Writing
    from overmind_core.memory.sight import Sight, Sights
    from overmind_core.memory.store import NoteStore
    from overmind_core.memory.tables import StoredNote
    from overmind_core.missions.answer_types import GivenNote, MissionNotes

RANKED = 30
"""Notes that are looked at for one run, of those that words find. With 60, or with all words of a prompt, no other ones
are given (`bench memory`), and the agent starts later."""
MOST_ASKED = 12
"""Words of a prompt that are looked for, the rarest."""
PINNED = 50
WITH_FILES = 2000
"""Notes with files, the newest, that are compared with the paths of a question."""
WhyGiven = Literal["pinned", "identifier", "path", "words"]


class NoteBriefing:
    """Chooses and saves the notes for runs. On the loop's thread."""

    def __init__(self, access: NoteAccess, sights: Sights, settings: MemorySettings) -> None:
        self._access = access
        self._sights = sights
        self._settings = settings

    async def notes_for(self, request: BriefingRequest) -> GivenNotes | None:
        """The notes for a run; None: nothing. They are saved before this returns."""
        mission = request.mission
        known = await self._access.read(lambda reading: reading.given.of(request.conversation), ours=True)
        if known is None:
            if not request.is_new:
                return None
            sight = await self._sights.of_mission(mission)
            chosen = await self._access.read(lambda reading: self._chosen(reading, sight, request), ours=True)
        else:
            chosen = known
        if not chosen.block and known is None:
            return None
        saved = await self._access.write(lambda writing: _save(writing, chosen, mission), ours=True)
        if not saved.block:
            return None
        return GivenNotes(saved.block, tuple(one.note for one in saved.notes), saved.tokens, saved.left_out)

    def _chosen(self, reading: Reading, sight: Sight, request: BriefingRequest) -> Given:
        mission = request.mission
        question = clean((request.question or "")[:LONGEST])
        only_pinned = request.injection is Injection.PINNED
        scopes = reading.scopes.rows_of(sight.scopes)
        files = sight.files()
        live = Chosen(scopes=scopes, states=(NoteState.LIVE,))
        found: dict[str, Candidate] = {}

        def add(stored: StoredNote) -> None:
            found.setdefault(stored.note.id, Candidate(stored.note, stale=sight.is_stale(stored, files)))

        for stored in reading.notes.choose(replace(live, pinned=True), PINNED):
            add(stored)
        if question and not only_pinned:
            finding = Finding(
                [question], live, RANKED, None, lambda one: sight.is_stale(one, files), RANKED, MOST_ASKED
            )
            for one in recall(reading, finding):
                add(one.stored)
            named = paths(question)[:MOST_PATHS]
            folder = "/" if sight.place is None else sight.place.top
            for stored in reading.notes.choose(replace(live, with_files=True), WITH_FILES) if named else []:
                if any(matches(glob, path, folder=folder) for glob in stored.note.content.files for path in named):
                    add(stored)
        candidates = list(found.values())
        corpus = Corpus(
            reading.search.counted(scopes), reading.search.frequencies(stems_of(question, candidates), scopes)
        )
        choice = choose(
            question,
            candidates,
            corpus,
            budget=self._settings.tokens,
            only_pinned=only_pinned,
            folder="/" if sight.place is None else sight.place.top,
        )
        rows = tuple(
            GivenRow(one.note.id, one.note.version, one.why, one.shown.head, one.shown.text) for one in choice.picked
        )
        is_agent = mission.definition.provider != RAW
        block = ASK if self._settings.ask and is_agent else ""
        if rows:
            block = render([one.shown for one in choice.picked], secret_of(reading.meta))
        return Given(0, request.conversation, mission.id, 0.0, tokens(block), choice.left_out, 0, block, rows)

    def not_given(self, conversation: str) -> None:
        """The run has begun without: what is saved for the conversation, or will be, counts as not given."""

        def undo(writing: Writing) -> None:
            with writing.database.transaction():
                known = writing.store.given.of(conversation)
                nothing = Given(0, conversation, conversation.partition(".")[0], writing.at, 0, 0, 0, "")
                if known is None:
                    writing.store.given.add(nothing)
                else:
                    for mission, run in writing.store.given.runs(known.row):
                        _take_back(writing.store, known, mission, run)
                    writing.store.given.replace(nothing._replace(row=known.row, purged=known.purged))

        self._access.later(lambda: self._access.write(undo, ours=True))

    def never_begun(self, mission: str, run: int) -> None:
        """The run will never begin: what was saved for it counts as not given."""

        def undo(writing: Writing) -> None:
            with writing.database.transaction():
                found = writing.store.given.of_run(mission, run)
                if found is not None:
                    _take_back(writing.store, found[1], mission, run)
                    writing.store.given.remove_unused(found[1].row)

        self._access.later(lambda: self._access.write(undo, ours=True))

    async def notes_of(self, mission: Mission, injection: Injection) -> MissionNotes:
        """The notes that the mission's newest run was given, and the ids of those that the mission has written."""

        def look(reading: Reading) -> MissionNotes:
            found = reading.given.of_run(mission.id, mission.run)
            given = None if found is None else found[1]
            shown: list[GivenNote] = []
            for one in () if given is None else given.notes:
                stored = reading.notes.get(one.note)
                first, _, _ = clean(one.text).partition("\n")
                kind = NoteKind.FACT if stored is None else stored.note.content.kind
                shown.append({"id": one.note, "kind": kind, "why": _why(one.why), "text": first})
            return {
                "inject": injection,
                "given": shown,
                "tokens": 0 if given is None else given.tokens,
                "left_out": 0 if given is None else given.left_out,
                "wrote": reading.notes.written_by(mission.id),
            }

        return await self._access.read(look)

    async def used(self, mission: str, run: int | None) -> Used:
        """The notes that a run was given, byte for byte."""
        found = await self._access.read(lambda reading: reading.given.of_run(mission, run))
        if found is None:
            return {
                "mission": mission, "run": run, "tokens": 0, "left_out": 0, "purged": 0, "notes": [], "text": "",
            }  # fmt: skip
        number, given = found
        notes: list[UsedNote] = [{"id": one.note, "version": one.version, "why": _why(one.why)} for one in given.notes]
        return {
            "mission": mission, "run": number, "tokens": given.tokens, "left_out": given.left_out,
            "purged": given.purged, "notes": notes, "text": given.block,
        }  # fmt: skip


def _save(writing: Writing, chosen: Given, mission: Mission) -> Given:
    """Keep what a conversation is given, and that a run has it; what was saved meanwhile counts."""
    store = writing.store
    with writing.database.transaction():
        given = store.given.of(chosen.conversation)
        if given is None:
            kept = tuple(one for one in chosen.notes if _is_there(store.notes.get(one.note)))
            if len(kept) < len(chosen.notes):  # one was forgotten or purged since it was chosen: its text stays nowhere
                return chosen._replace(block="", notes=())
            row = store.given.add(chosen._replace(at=writing.at))
            given = chosen._replace(row=row)
        if given.block and store.given.begun(given.row, mission.id, mission.run):
            for one in given.notes:
                store.notes.used(one.note, writing.at)
    return given


def _take_back(store: NoteStore, given: Given, mission: str, run: int) -> None:
    """A run does not have it after all; inside of a transaction."""
    store.given.not_begun(mission, run)
    for one in given.notes:
        store.notes.not_used(one.note)


def _is_there(stored: StoredNote | None) -> bool:
    return stored is not None and stored.note.state is NoteState.LIVE


def _why(word: str) -> WhyGiven:
    known: tuple[WhyGiven, ...] = ("pinned", "identifier", "path")
    return next((one for one in known if one == word), "words")
