"""The sight of who asks about notes: which of them they see, and as whom they write. On the loop's thread."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.memory.notes import Author, NoteKind, NoteState, Origin, Scope, ScopeKind
from overmind_core.domain.memory.permissions import Writer
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.memory import validate
from overmind_core.memory.lookup import Reach
from overmind_core.memory.places import Files, Place, Places
from overmind_core.missions.lookup import UNKNOWN, UNKNOWN_SUBJECT, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.settings import MemorySettings
    from overmind_core.memory.access import NoteAccess
    from overmind_core.memory.store import Change
    from overmind_core.memory.tables import StoredNote
    from overmind_core.missions.registry import Registry

_FOR_MANY = (Scope(ScopeKind.COLONY), Scope(ScopeKind.GLOBAL))


class Sight:
    """The scopes that a caller can see, and as whom it writes."""

    def __init__(self, scopes: tuple[Scope, ...], place: Place | None, writer: Writer, voter: str) -> None:
        self.scopes = scopes
        """The nearest first."""
        self.place = place
        self.writer = writer
        self.voter = voter

    @property
    def reach(self) -> Reach:
        """The notes that the caller may name."""
        return Reach(self.scopes, every_id=self.writer.is_person)

    @property
    def origin(self) -> Origin:
        """The origin of the versions that they write."""
        return Origin.COMMAND if self.writer.is_person else Origin.AGENT

    def scope(self, kind: ScopeKind) -> Scope:
        """The one of a kind.

        Raises:
            OvermindError: `invalid`, there is none.
        """
        found = next((one for one in self.scopes if one.kind is kind), None)
        if found is not None and (kind is not ScopeKind.MISSION or not self.writer.is_person):
            return found
        if kind is ScopeKind.MISSION:
            raise OvermindError("invalid", "Only a mission can write for its tree.")
        raise OvermindError("invalid", "Which repository? Say its folder, or choose --scope global.")

    def chosen(self, word: str | None) -> tuple[Scope, ...]:
        """All scopes, or those of a kind."""
        if word is None:
            return self.scopes
        kind = validate.scope(word)
        return tuple(one for one in self.scopes if one.kind is kind)

    def files(self) -> Files | None:
        """The files of the checkout, for a thread that reads."""
        return None if self.place is None else Files(self.place.top)

    def is_stale(self, stored: StoredNote, files: Files | None) -> bool:
        """Whether none of a note's files is there, as far as they can be looked for.

        The files of a lesson that nobody has accepted may be on a branch that has not landed.
        """
        content = stored.note.content
        if content.kind is NoteKind.LESSON and stored.note.state is NoteState.PROPOSED:
            return False
        here = self.place is not None and content.scope == Scope(ScopeKind.REPO, self.place.repository)
        return here and files is not None and files.is_stale(content.files)


class Sights:
    """The sights of persons and missions."""

    def __init__(
        self,
        *,
        access: NoteAccess,
        registry: Registry,
        settings: MemorySettings,
        home: str,
        person: str,
        machine: str,
        on_changes: Callable[[Iterable[Change]], None],
    ) -> None:
        """`home`: its folder; `person`: a login name; `machine`: the name of this one; `on_changes`: records them."""
        self._access = access
        self._registry = registry
        self._settings = settings
        self._person = Author(person=person)
        self._voter = f"{person}@{machine}"
        self._on_changes = on_changes
        self._places = Places(settings.repositories, os.environ, home)
        self._settled: dict[str, str] = {}
        """Clone → how it is called, as memory.db knows it."""

    def close(self) -> None:
        """Look at no folder any more."""
        self._places.close()

    async def of(self, inside: str | None, cwd: str | None) -> Sight:
        """The sight of a person (`inside` is None) or of a mission in a folder; None: the mission's own.

        Raises:
            OvermindError: `invalid`, `busy`, `memory_off`.
        """
        mission = None if inside in {None, UNKNOWN} else self._registry.get(inside or "")
        if mission is not None:
            return await self.of_mission(mission, cwd)
        place = await self._seen_place(cwd) if cwd else None
        trees = self._trees_in(place) if inside is None and place is not None else ()
        writer = Writer(self._person if inside is None else Author(mission=UNKNOWN))
        return Sight((*trees, *_repository(place), *_FOR_MANY), place, writer, self._voter)

    async def of_mission(self, mission: Mission, cwd: str | None = None) -> Sight:
        """The sight of a mission; one that is about to begin need not be registered yet.

        Raises:
            OvermindError: `invalid`, `busy`, `memory_off`.
        """
        place = await self._seen_place(cwd or mission.definition.cwd)
        tree = Scope(ScopeKind.MISSION, self.root_of(mission))
        writer = Writer(author_of(mission), proposes=self._settings.agents == "propose")
        return Sight((tree, *_repository(place), *_FOR_MANY), place, writer, f"mission:{mission.id}")

    async def place_of(self, folder: str) -> Place:
        """The repository of a folder; what it was called before is moved along.

        Raises:
            OvermindError: `invalid`, `busy`, `memory_off`.
        """
        place = await self._found_place(folder)
        await self._settle(place)
        return place

    async def _seen_place(self, folder: str) -> Place:
        """The same for who only looks: no file is made to note how a repository is called."""
        place = await self._found_place(folder)
        if self._access.has_file:
            await self._settle(place)
        return place

    async def _found_place(self, folder: str) -> Place:
        if not os.path.isabs(folder) or "\0" in folder:
            raise OvermindError("invalid", f"{folder!r} is no absolute path.")
        return await self._places.of(from_wire(folder))

    async def _settle(self, place: Place) -> None:
        if self._settled.get(place.clone) != place.repository:
            clone, name = place.clone, place.repository
            self._on_changes(
                await self._access.write(
                    lambda writing: writing.store.settle(clone, name, is_local=place.is_local), ours=True
                )
            )
            self._settled[clone] = name

    def forget_places(self) -> None:
        """Ask git again about each folder: what is known may have changed just now."""
        self._places.forget()

    def root_of(self, mission: Mission) -> str:
        """The id of the root of a mission's tree."""
        return [mission.id, *(one.id for one in line(self._registry, mission.definition.parent))][-1]

    def _trees_in(self, place: Place) -> tuple[Scope, ...]:
        """The trees of which something lives, with a root in a checkout: what a person in it sees."""
        roots = dict.fromkeys(self.root_of(one) for one in list(self._registry.live.values()))
        inside = f"{place.top}/"
        return tuple(
            Scope(ScopeKind.MISSION, root)
            for root in roots
            if (one := self._registry.get(root)) is not None and f"{one.definition.cwd}/".startswith(inside)
        )

    async def of_writer(self, inside: str | None, cwd: str | None) -> Sight:
        """As `of`, for who is about to change something.

        Raises:
            OvermindError: `forbidden`, nobody knows of which mission they are; and as of `of`.
        """
        if inside == UNKNOWN:
            raise OvermindError("forbidden", f"{UNKNOWN_SUBJECT} may not change notes.")
        sight = await self.of(inside, cwd)
        if sight.place is not None:
            await self._settle(sight.place)
        return sight


def author_of(mission: Mission) -> Author:
    """A mission as the author of notes; its name may hold anything, secrets included."""
    from overmind_core.domain.memory.redaction import redact  # noqa: PLC0415 - many patterns

    definition = mission.definition
    agent = "" if definition.provider == RAW else definition.provider
    return Author(mission=mission.id, name=redact(definition.name).text, agent=agent)


def _repository(place: Place | None) -> tuple[Scope, ...]:
    return () if place is None else (Scope(ScopeKind.REPO, place.repository),)
