"""The service of memory: requests about notes, and the interface to the daemon's other parts. On the loop's thread.

The loop never touches memory.db: one thread writes, one or two read, begun with the first request. What they can't do
is told to who asked; nothing else of the daemon waits for it, or fails with it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import msgspec

from overmind_core.domain.memory.notes import Content, NoteKind, NoteState, ScopeKind, Vote
from overmind_core.domain.memory.permissions import Writer
from overmind_core.errors import OvermindError
from overmind_core.memory import copies, queries, requests, retention, validate
from overmind_core.memory.access import NoteAccess
from overmind_core.memory.alterations import Alteration, alter
from overmind_core.memory.answers import found_remotely, note_brief
from overmind_core.memory.briefing import NoteBriefing
from overmind_core.memory.episode_search import found_episodes
from overmind_core.memory.events import MemoryChanged, NoteChanged, Voted
from overmind_core.memory.lookup import find_note
from overmind_core.memory.meaning import ByMeaning, Meaning
from overmind_core.memory.note_texts import scope_name
from overmind_core.memory.opened import QUERY_SECONDS, Reading
from overmind_core.memory.recall import similar
from overmind_core.memory.sight import Sight, Sights
from overmind_core.memory.store import Draft
from overmind_core.memory.sync import CortexSync
from overmind_core.missions.lookup import UNKNOWN, find

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from overmind_core.domain.settings import CortexSettings, MemorySettings
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.memory import answer_types as answers
    from overmind_core.memory.store import Change
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

Filtered = TypeVar("Filtered", requests.Recall, requests.Search, requests.Notes)
STALE_SECONDS = 30.0
"""How long all notes with files may be looked at: 200,000 of them take some seconds."""
MEANING_SECONDS = 1.0
"""How long an answer waits for the model; words have found it by then."""


class Switch(Protocol):
    """Whether a person has switched memory off."""

    @property
    def is_on(self) -> bool:
        """Whether nobody has."""

    async def turn(self, *, on: bool) -> None:
        """Switch it; saved when this returns."""


class Memory:
    """Notes of one home."""

    def __init__(
        self,
        *,
        home: Home,
        settings: MemorySettings,
        clock: Clock,
        events: EventLog,
        registry: Registry,
        variables: Callable[[str], Mapping[str, str]],
        person: str,
        machine: str,
        switch: Switch,
        cortex_settings: CortexSettings,
        rebuild_episodes: Callable[[], Awaitable[int]],
    ) -> None:
        """Begin nothing yet.

        Args:
            home: Of the notes.
            settings: Of the table `[memory]`.
            clock: When it is.
            events: The log of events.
            registry: The missions.
            variables: The environment of a mission.
            person: A login name.
            machine: The name of this one.
            switch: Whether a person has switched memory off.
            cortex_settings: Of the table `[cortex]`.
            rebuild_episodes: Reads the episodes anew from logs; how many of these are gone.
        """
        self._switch = switch
        self._rebuild_episodes = rebuild_episodes
        self.path = home.memory
        self._clock = clock
        self.settings = settings
        self._events = events
        self._registry = registry
        self._variables = variables
        self._private = os.path.join(home.root, "files")
        self._access = NoteAccess(
            home.memory,
            self._private,
            clock,
            on_damage=self._record_damage,
            on_changes=self._on_purged,
        )
        self.read, self.write = self._access.read, self._access.write
        self._sights = Sights(
            access=self._access,
            registry=registry,
            settings=settings,
            home=home.root,
            person=person,
            machine=machine,
            on_changes=self._record_changes,
        )
        self._meaning = Meaning(self.path, os.environ)
        self._model = os.path.expanduser(settings.model)
        self.place_of = self._sights.place_of
        self.briefing = NoteBriefing(self._access, self._sights, settings)
        self.cortex = CortexSync(
            write=self.write,
            on_changes=self._on_received,
            events=events,
            clock=clock,
            token_file=home.cortex_token,
            settings=cortex_settings,
        )

    def close(self) -> None:
        """End the threads, after what is under way."""
        self.cortex.close()
        self._meaning.close()
        self._sights.close()
        self._access.close()

    @property
    def is_on(self) -> bool:
        """Whether nobody has switched memory off."""
        return self._switch.is_on

    def _redacted(self, inside: str | None, texts: Iterable[str]) -> tuple[list[str], int]:
        """Texts without secrets, and how many were replaced. Before anything is stored or looked for."""
        from overmind_core.domain.memory.redaction import redact, secret_values  # noqa: PLC0415 - many patterns

        known = secret_values(self._variables(inside)) if inside not in {None, UNKNOWN} else ()
        found = [redact(text, known) for text in texts]
        return [one.text for one in found], sum(one.secrets for one in found)

    def _with_filters_redacted(self, inside: str | None, request: Filtered) -> Filtered:
        """The request with a tag as notes have it, that of a secret included."""
        if request.tag is None:
            return request
        (tag,), _ = self._redacted(inside, [request.tag])
        return msgspec.structs.replace(request, tag=tag)

    # requests

    async def remember(self, request: requests.Remember, inside: str | None) -> answers.Remembered:
        """Write a note, or the next version of one."""
        sight = await self._sights.of_writer(inside, request.cwd)
        (text, key, *words), count = self._redacted(
            inside, [request.text, request.key or "", *request.tags, *request.files]
        )
        tags, files = words[: len(request.tags)], words[len(request.tags) :]
        content = Content(
            text=validate.note_text(text),
            kind=validate.kind(request.kind or NoteKind.FACT),
            scope=sight.scope(validate.scope(request.scope or ScopeKind.REPO)),
            key=validate.key(key) if key else "",
            tags=validate.tags(tags),
            files=validate.files(files),
            pinned=request.pin,
        )
        draft = Draft(
            content=content,
            writer=sight.writer,
            origin=sight.origin,
            reach=sight.reach,
            replaces=request.replaces or "",
            request=f"{inside or ''}:{request.request}" if request.request else "",
            kind_given=request.kind is not None,
        )
        written = await self.write(lambda writing: writing.store.remember(draft))
        self._record_changes(written.changes)
        stored, near = await self.read(
            lambda reading: (reading.notes.get(written.note), similar(reading, written.note))
        )
        if stored is None:
            raise OvermindError("gone", f"{written.note} was removed meanwhile.")
        note = stored.note
        return {
            "id": note.id,
            "version": written.number,
            "state": NoteState(written.state).value,
            "kind": note.content.kind.value,
            "scope": note.content.scope.kind.value,
            "new": written.new,
            "similar": [note_brief(one) for one in near],
            "redacted": count + request.redacted,
        }

    async def recall(self, request: requests.Recall, inside: str | None) -> answers.Recalled:
        """Find what answers a question, the best first; with `remote` among the notes of the Cortex."""
        request = self._with_filters_redacted(inside, request)
        if request.remote:
            return await self._recall_remotely(request, inside)
        sight = await self._sights.of(inside, request.cwd)
        asked, _ = self._redacted(inside, validate.questions(request.questions))
        found, meant = await self._find(sight, asked, request)
        with_meaning = bool(self._model) and meant.why_not is None
        return {"notes": found, "with_meaning": with_meaning, "why_not": meant.why_not}

    async def _recall_remotely(self, request: requests.Recall, inside: str | None) -> answers.Recalled:
        sight = await self._sights.of(inside, request.cwd)
        asked, _ = self._redacted(inside, validate.questions(request.questions))
        found = await self.cortex.search({
            "question": " ".join(asked), "limit": validate.limit(request.limit), "kind": request.kind,
            "scope": request.scope, "tag": request.tag,
            "repository": "" if sight.place is None or sight.place.is_local else sight.place.repository,
        })  # fmt: skip
        return {"notes": [found_remotely(*one) for one in found], "with_meaning": False, "why_not": None}

    async def search(self, request: requests.Search, inside: str | None) -> answers.Searched:
        """Find notes by their words, or by exactly this text."""
        sight = await self._sights.of(inside, request.cwd)
        (asked,), _ = self._redacted(inside, [validate.question(request.words)])
        request = self._with_filters_redacted(inside, request)
        if request.episodes:
            limit, place = validate.limit(request.limit), sight.place
            return await self.read(lambda reading: found_episodes(reading, asked, place, limit, request))
        if request.literal:
            found = await self.read(lambda reading: queries.with_text(reading, sight, asked, request))
        else:
            found, _ = await self._find(sight, [asked], request)
        return {"notes": found, "episodes": []}

    async def _find(
        self, sight: Sight, asked: list[str], request: requests.Recall | requests.Search
    ) -> tuple[list[answers.FoundNote], ByMeaning]:
        meant = await self._meant(sight, asked, request)
        return await self.read(lambda reading: queries.found(reading, sight, asked, request, meant)), meant

    async def _meant(self, sight: Sight, asked: list[str], request: requests.Recall | requests.Search) -> ByMeaning:
        """The notes that the model finds; none where the settings name no model."""
        if not self._model:
            return ByMeaning()
        scopes = [scope_name(one) for one in sight.chosen(request.scope)]
        return await self._meaning.ask(self._model, asked, scopes, MEANING_SECONDS)

    async def notes(self, request: requests.Notes, inside: str | None) -> answers.NoteList:
        """List notes, the newest first."""
        request = self._with_filters_redacted(inside, request)
        sight = await self._sights.of(inside, request.cwd)
        return await self.read(
            lambda reading: queries.note_list(reading, sight, request),
            seconds=STALE_SECONDS if request.stale else QUERY_SECONDS,
        )

    async def note(self, request: requests.Note, inside: str | None) -> answers.NoteInfo:
        """Everything known of one note."""
        sight = await self._sights.of(inside, request.cwd)
        return await self.read(lambda reading: queries.note_named(reading, sight, request))

    async def note_set(self, request: requests.NoteSet, inside: str | None) -> answers.NoteChanged:
        """Change a note; an edit that says what is there already changes nothing."""
        sight = await self._sights.of_writer(inside, request.cwd)
        if request.change not in _CHANGES:
            raise OvermindError("invalid", f"No change of a note: {request.change!r}. Choose {', '.join(_CHANGES)}.")
        text = ""
        if request.change == "edit":
            (text,), _ = self._redacted(inside, [request.text or ""])
            text = validate.note_text(text)
        to = None
        if request.change == "promote":
            to = sight.scope(validate.scope(request.to or ""))
            if to.kind is ScopeKind.MISSION:
                raise OvermindError("invalid", "Promote to repo, colony or global.")
        wish = Alteration(
            note=request.note,
            change=request.change,
            writer=sight.writer,
            reach=sight.reach,
            origin=sight.origin,
            text=text,
            to=to,
            seen=request.seen or "",
        )
        altered = await self.write(lambda writing: alter(writing.store, wish))
        self._record_changes(altered.changes)
        note = await self.read(lambda reading: queries.note_with_id(reading, sight, altered.note))
        return {"note": note, "changed": altered.changed}

    async def forget(self, request: requests.Forget, inside: str | None) -> answers.Forgotten:
        """Forget notes; with `purge` it answers when no byte of them is left."""
        sight = await self._sights.of_writer(inside, request.cwd)
        if request.purge:
            return {"notes": await self._purge(request.notes, sight)}
        done: list[answers.ForgottenNote] = []
        # A repeat, whose first answer was lost, finds them forgotten.
        for word in await self._ids_of(request.notes, sight, with_gone=True, with_old_keys=True):
            wish = Alteration(word, "forget", sight.writer, sight.reach, sight.origin)
            altered = await self.write(lambda writing, wish=wish: alter(writing.store, wish))  # type: ignore[misc]
            self._record_changes(altered.changes)
            done.append({"id": altered.note, "still_in": []})
        return {"notes": done}

    async def _ids_of(
        self, words: Sequence[str], sight: Sight, *, with_gone: bool = False, with_old_keys: bool = False
    ) -> list[str]:
        """The notes that words mean: where one means none, that is said before anything is changed."""

        def meant(reading: Reading, word: str) -> str:
            tables = reading.notes, reading.scopes
            return find_note(*tables, word, sight.reach, with_gone=with_gone, with_old_keys=with_old_keys).note.id

        return await self.read(lambda reading: list(dict.fromkeys(meant(reading, word) for word in words)))

    async def _purge(self, words: list[str], sight: Sight) -> list[answers.ForgottenNote]:
        notes = await self._ids_of(words, sight, with_gone=True)
        top = None if sight.place is None else sight.place.top
        held = await self.read(lambda reading: {note: copies.of(reading, note, top, self._private) for note in notes})
        self._record_changes(await self.write(lambda writing: writing.purge.purge(words, sight.writer, sight.reach)))
        self._meaning.forget()
        return [
            {"id": note, "still_in": [*files, *copies.logs_of(missions, self._registry)]}
            for note, (files, missions) in held.items()
        ]

    async def outcome(self, request: requests.Outcome, inside: str | None) -> answers.Votes:
        """Vote for notes, or against them; the newest vote of a voter counts."""
        sight = await self._sights.of_writer(inside, request.cwd)
        (why,), _ = self._redacted(inside, [validate.why(request.why)])
        vote = Vote(id="", note="", version="", voter=sight.voter, number=0, helped=request.helped, why=why)
        done: list[answers.NoteVotes] = []
        for word in await self._ids_of(request.notes, sight):
            note = await self.write(lambda writing, word=word: writing.store.vote(word, vote, sight.reach))  # type: ignore[misc]
            self._events.record(Voted(note=note.id, helped=request.helped))
            done.append({"id": note.id, "helped": note.helped, "hurt": note.hurt})
        return {"notes": done}

    async def memory(self, request: requests.Memory, inside: str | None) -> answers.MemoryState:
        """How memory stands; also where it can't be used."""
        state: answers.MemoryState = {
            "on": False, "reason": None, "inject": _inject(self.settings.inject), "model": self.settings.model or None,
            "model_error": None, "live": 0, "proposed": 0, "resting": 0, "conflicts": 0, "repository": None, "here": 0,
            "bytes": 0, "cortex": None,
        }  # fmt: skip
        is_on = self.is_on  # asked here, for it may be read from state.db, which belongs to the loop's thread
        try:
            sight = await self._sights.of(inside, request.cwd)
            await self.read(lambda reading: queries.count(reading, sight, state))
        except OvermindError as error:
            if error.code != "memory_off":
                raise
            state["reason"] = str(error.fields.get("reason", error.message))
            return state
        state["on"] = is_on
        if self._model:
            state["model_error"] = self._meaning.refusal_of(self._model) or await self._problem_of_model()
        if self.cortex.is_connected:
            state["cortex"] = await self.cortex.state()
        return state

    async def _problem_of_model(self) -> str | None:
        from overmind_core.memory.model import problem_of  # noqa: PLC0415 - for those who have a model

        return await self.read(lambda _: problem_of(self._model))

    async def memory_set(self, request: requests.MemorySet) -> answers.MemorySwitched:
        """Switch memory on or off."""
        if self.is_on != request.on:
            await self._switch.turn(on=request.on)
            self._events.record(MemoryChanged(change="on" if request.on else "off"))
        return {"on": request.on}

    def _record_damage(self) -> None:
        self._events.record(MemoryChanged(change="damaged"))

    async def memory_reindex(self) -> answers.Reindexed:
        """Build the index anew; take over what can be read of a damaged file."""
        began = self._clock.mono()
        notes, recovered = await self._access.reindex()
        if recovered is not None:
            self._events.record(MemoryChanged(change="recovered"))
        gone = await self._rebuild_episodes()
        episodes = await self.read(lambda reading: reading.database.read("SELECT count(*) FROM episodes")[0][0])
        return {
            "notes": notes,
            "episodes": episodes,
            "logs_gone": gone,
            "seconds": round(self._clock.mono() - began, 3),
            "recovered": None if recovered is None else recovered.notes,
            "lost": None if recovered is None else recovered.lost,
            "damaged": None if recovered is None else recovered.damaged,
        }

    async def memory_used(self, request: requests.MemoryUsed, inside: str | None) -> answers.Used:
        """The notes that a run of a mission was given."""
        mission = find(self._registry, request.mission)
        if inside is not None:
            asking = None if inside == UNKNOWN else self._registry.get(inside)
            if asking is None or self._sights.root_of(asking) != self._sights.root_of(mission):
                raise OvermindError("forbidden", "A process inside a mission may ask about its own tree only.")
        return await self.briefing.used(mission.id, request.run)

    async def written_texts(self, mission: str) -> list[str]:
        """The texts of the notes that a mission has written, oldest first, but for those that are given to nobody."""

        def look(reading: Reading) -> list[str]:
            found = (reading.notes.get(note) for note in reading.notes.written_by(mission))
            return [one.note.content.text for one in found if one is not None and one.note.state is NoteState.LIVE]

        return await self.read(look)

    def removed(self, missions: Sequence[str]) -> None:
        """Forget what these missions were given, and the notes of the trees whose roots they were."""
        if os.path.exists(self.path):
            self._access.later(
                lambda: self.write(lambda writing: writing.store.remove_mission(missions, missions), ours=True)
            )

    async def memory_import(self, request: requests.MemoryImport) -> answers.Imported:
        """Take in files of notes, all of them in one transaction; with `dry_run` nothing is kept."""
        from overmind_core.memory.importing import TextFile, take_in  # noqa: PLC0415 - for those who have such files

        sight = await self._sights.of(None, request.cwd)
        scope = sight.scope(ScopeKind.REPO)
        texts, _ = self._redacted(None, [one.text for one in request.files])
        files = [TextFile(one.file, text) for one, text in zip(request.files, texts, strict=True)]
        writer = Writer(sight.writer.author, proposes=request.propose)

        keep, key = not request.dry_run, f"import:{request.request}" if request.request else ""

        taken = await self.write(
            lambda writing: take_in(writing.store, files, scope, writer, sight.reach, keep=keep, request=key)
        )
        if not request.dry_run:
            self._record_changes(taken.changes)
        return taken.answer

    async def memory_connect(self, request: requests.MemoryConnect) -> answers.Connected:
        """Connect with a Cortex; without `url` disconnect."""
        if request.url is None:
            await self.cortex.disconnect()
        else:
            await self.cortex.connect(request.url, request.token or "", request.ca or "")
        return {"cortex": await self.cortex.state()}

    async def memory_share(self, request: requests.MemoryShare) -> answers.Shared:
        """Share the notes of a folder's repository, or no longer."""
        self._sights.forget_places()  # the remote may be what was missing a moment ago
        place = await self.place_of(request.cwd)
        notes = await self.cortex.share(place.repository, is_local=place.is_local, on=request.on)
        return {"repository": place.repository, "on": request.on, "notes": notes}

    async def memory_sync(self) -> answers.Synced:
        """Send and receive now."""
        return await self.cortex.sync()

    async def prune(self) -> None:
        """Remove what has been kept long enough, and what belongs to missions that are removed.

        Raises:
            OvermindError: `memory_off`.
        """
        keep = self.settings.keep
        await self.write(lambda writing: retention.remove_old(writing, keep), ours=True)
        of = await self.write(retention.owners, ours=True)
        roots, missions = ([one for one in found if self._registry.get(one) is None] for found in of)
        await self.write(lambda writing: retention.remove_orphans(writing, roots, missions), ours=True)

    def _on_purged(self, changes: Sequence[Change]) -> None:
        self._record_changes(changes)
        self._meaning.forget()

    def _on_received(self, changes: Sequence[Change]) -> None:
        self._record(changes)
        if any(one.change == "purged" for one in changes):
            self._meaning.forget()

    def _record_changes(self, changes: Iterable[Change]) -> None:
        self._record(changes)
        self.cortex.wake()

    def _record(self, changes: Iterable[Change]) -> None:
        for one in changes:
            self._events.record(NoteChanged(note=one.note, change=one.change, scope=one.scope, version=one.version))


_CHANGES = ("edit", "accept", "pin", "unpin", "restore", "promote")


def _inject(word: str) -> Literal["auto", "pinned", "off"]:
    return "off" if word == "off" else "pinned" if word == "pinned" else "auto"
