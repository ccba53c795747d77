"""`fork`: a new session that begins with the conversation of another mission, and with the work in its worktree."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import UNSET

from overmind_core.agents.messages import place_of
from overmind_core.agents.store import ANSWERED, DELIVERED, QUEUED
from overmind_core.agents.validate import check_limits, checked_prompt
from overmind_core.definitions.api_run import StartApi
from overmind_core.domain.agents.agent import RAW, ActivityKind, AgentMode
from overmind_core.domain.agents.conversation import ForkPoint, is_busy, is_uncopied
from overmind_core.domain.agents.events import ConversationForked
from overmind_core.domain.missions.mission import Kind, RestartPolicy
from overmind_core.domain.missions.names import LONGEST_NAME
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions import answers, validate
from overmind_core.missions.callers import forbid_foreign, mission_of
from overmind_core.missions.environment import without_given
from overmind_core.missions.lookup import find
from overmind_core.missions.requests import ForkArgs
from overmind_core.missions.spec import Fork, MissionSpec
from overmind_core.providers import registry as providers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.agents.messages import MessageQueue
    from overmind_core.agents.service import Agents
    from overmind_core.agents.store import MessageRow
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.missions.mission import Definition, Mission
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.answer_types import ForkedMission
    from overmind_core.missions.environment import SavedEnvironments
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions, Started
    from overmind_core.providers.base import Provider
    from overmind_core.system.paths import Home

NAME_TRIES = 10
"""Names that are chosen one after the other, where several forks of one mission begin at once."""
_IN_TURN = frozenset({ActivityKind.WORKING, ActivityKind.WAITING})
"""States of a program on its terminal, also guessed ones."""
_OURS = "overmind."
"""What labels begin with that say what a mission is for the program itself: a fork is none of that."""


class ForkApi(StartApi):
    """The request that copies a conversation."""

    def __init__(
        self,
        *,
        home: Home,
        settings: Settings,
        registry: Registry,
        missions: Missions,
        agents: Agents,
        messages: MessageQueue,
        environments: SavedEnvironments,
        project_folder: Callable[[str], str | None],
    ) -> None:
        """`project_folder`: the one that an isolated mission was started in; None: nothing is known of it."""
        super().__init__(home=home, settings=settings, registry=registry, missions=missions)
        self._agents = agents
        self._messages = messages
        self._environments = environments
        self._project_folder = project_folder

    @handles(ForkArgs)
    async def fork(self, request: ForkArgs, caller: Caller) -> ForkedMission:
        """Begin a session with the conversation that a mission has had so far; that goes on as it is.

        With a request key the same is asked for however often it is asked: it makes one mission.
        """
        inside = mission_of(caller, self._registry, self._home.root)
        if request.request is not None and (earlier := self._missions.by_request(request.request)) is not None:
            return self._answer(await self._missions.start(self._repeat(earlier, request.request)))
        source = find(self._registry, request.id, live_first=True)
        forbid_foreign(inside, source, self._registry, "fork")
        tries = 1 if request.name is not None else NAME_TRIES
        while True:
            spec, tries = await self._spec(source, request, inside), tries - 1
            try:
                return self._answer(await self._missions.start(spec, inside=inside, caller=caller))
            except OvermindError as error:
                if error.code != "name_taken" or not tries:
                    raise

    def _repeat(self, earlier: Mission, key: str) -> MissionSpec:
        """What the mission of an earlier try with the same key is found by."""
        return MissionSpec(earlier.definition, self._environments.of(earlier.id), request=key)

    async def _spec(self, source: Mission, request: ForkArgs, inside: str | None) -> MissionSpec:
        is_plain = source.definition.provider == RAW
        agent = self._agents.agent(source.id)
        known = self._agents.conversations([source], plain=is_plain).get(source.id)
        name = source.definition.name
        if source.definition.kind is Kind.BLUEPRINT:
            message = f"Mission {source.id} ({name}) is a plan: its agents have a name of their own, {name}/AGENT."
            raise OvermindError("invalid", f"{message} See: overmind describe {name}")
        if agent is None or known is None or (is_plain and not self._agents.plain.is_known(source)):
            message = f"Mission {source.id} ({name}) is a plain program: it has no conversation that could be forked."
            raise OvermindError("invalid", f"{message} Start another one with: overmind run")
        prompt = checked_prompt(request.prompt)
        if is_plain:
            point = await self._plain_point(source, known, request)
        else:
            point = self._point(source, known, request.at)
        home = AgentMode.HEADLESS if agent.home is AgentMode.ONE_SHOT else agent.home
        agent = replace(agent, home=home, prompt=prompt, folders=None)
        provider = providers.get(source.definition.provider)
        if (problem := provider.refuse(agent)) is not None:
            raise OvermindError("invalid", problem)
        check_limits(agent, source.definition.max_tokens, provider, self._settings)
        up_to = UNSET if point.message is None else point.message
        text = f"--- forked from {source.id} ({name}){_at_message(point.message)} ---"
        return MissionSpec(
            replace(
                _definition(source.definition, prompt, self._name(name, request.name), parent=inside),
                cwd=self._project_folder(source.id) or source.definition.cwd,
            ),
            without_given(self._environments.of(source.id)),
            agent,
            isolate=source.definition.isolated,
            request=request.request,
            origin=Fork(point, known, ConversationForked(text=text, source=source.id, up_to=up_to)),
        )

    def _name(self, source: str, wanted: str | None) -> str:
        """The name that is asked for, else the first free one behind the source's: `planner-fork`, `planner-fork-2`."""
        if wanted is not None:
            return validate.checked_name(wanted)
        taken = self._registry.index.names
        base = source.rpartition("/")[2]
        number, end = 1, "-fork"
        while (name := f"{base[: LONGEST_NAME - len(end)]}{end}") in taken:
            number += 1
            end = f"-fork-{number}"
        return name

    def _point(self, source: Mission, known: Conversation, at: int | None) -> ForkPoint:
        """Where the copy ends.

        Raises:
            OvermindError: `invalid` or `not_finished`, the conversation can't be copied, or not there; says why.
        """
        definition = source.definition
        provider = providers.get(definition.provider)
        called = _called(source)
        on_screen = known.home is AgentMode.INTERACTIVE and getattr(provider, "forks_on_screen", False)
        if not on_screen and (not provider.forks or known.forks is False):
            raise OvermindError("invalid", f"{provider.name} can't fork a conversation.")
        if at is not None and not provider.forks_at:
            message = f"{provider.name} can't fork at a message: it copies the whole conversation. Omit --at."
            raise OvermindError("invalid", message)
        if is_uncopied(known):
            message = f"{called} is a fork that has not had a turn yet. Fork {_origin(known)} again."
            raise OvermindError("not_finished", message)
        answered = [one for one in self._messages.of(source.id) if _is_of(one, known)]
        if at is not None:
            row = next((one for one in answered if one.id == at), None)
            if row is None:
                raise self._without_place(source, known, at)
            place = place_of(row.answer)
            assert place is not None
            return ForkPoint(known.session, place.mark, source.id, at)
        _check_stored(source, known, provider)
        last = next((one.id for one in reversed(answered) if _mark(one) == known.mark), None)
        if not provider.forks_at:  # it copies all: the newest message that was answered is in it
            last = next((one.id for one in reversed(self._messages.of(source.id)) if one.state == ANSWERED), None)
        return ForkPoint(known.session, known.mark if provider.forks_at else "", source.id, last)

    async def _plain_point(self, source: Mission, known: Conversation, request: ForkArgs) -> ForkPoint:
        """The conversation of a plain program on its terminal, which is copied as it is.

        Raises:
            OvermindError: `invalid` or `not_finished`, it can't be copied; says why.
        """
        plain, called, name = self._agents.plain, _called(source), source.definition.name
        program, words = plain.program(source), plain.words(source)
        if words is None:
            chosen = f"{called} was started with a conversation, a prompt or words that Overmind leaves as they are"
            raise OvermindError("invalid", f"{chosen}: the id of its conversation is not known. Fork it in {program}.")
        if not words.fork:
            if program in providers.names() and providers.get(program).forks:
                message = f"{program} can't fork a conversation here. Its sessions can: start one with"
                raise OvermindError("invalid", f"{message} overmind run --provider {program} --type session")
            raise OvermindError("invalid", f"{program} can't fork a conversation.")
        if request.at is not None:
            message = f"{program} can't fork at a message: it copies the whole conversation. Omit --at."
            raise OvermindError("invalid", message)
        if request.prompt:
            message = f"A fork of {program} on its own screen takes no prompt."
            raise OvermindError("invalid", f"{message} Fork it without one, then: overmind send NAME MESSAGE")
        if source.definition.isolated and words.by_folder:
            message = f"{program} copies a conversation in its own folder alone, and a fork of {name} gets another one."
            raise OvermindError("invalid", message)
        if known.turn is not None or not _IN_TURN.isdisjoint((known.activity.doing, known.activity.guess)):
            message = f"{called} is in a turn, and {program} copies a conversation only between two."
            raise OvermindError("not_finished", f"{message} Fork it after that: overmind fork {name}")
        session = await plain.known_id(source, known)
        if not known.begun:
            raise OvermindError("not_finished", f"{called} has not had a turn yet: there is nothing to fork.")
        if not session:
            message = f"{called}: {program} tells the id of its conversation only when it is left."
            again = f"Leave it, start it again, then fork it: overmind restart {name}"
            raise OvermindError("not_finished", f"{message} {again}")
        return ForkPoint(session, "", source.id)

    def _without_place(self, source: Mission, known: Conversation, at: int) -> OvermindError:
        """Why a fork can't end at a message."""
        called, name = _called(source), source.definition.name
        row = next((one for one in self._messages.of(source.id) if one.id == at), None)
        see = f"See: overmind messages {name}"
        if source.definition.kind is not Kind.SESSION:
            return OvermindError("invalid", f"{called} is a task: it has one turn and no messages. Omit --at.")
        if row is None:
            return OvermindError("not_found", f"{called} has no message {at}. {see}")
        if row.state in {QUEUED, DELIVERED}:
            return OvermindError("not_finished", f"Message {at} is not answered yet. {see}")
        place = place_of(row.answer)
        if place is not None and place.lost != known.lost:
            lost = f"Message {at} belongs to a conversation that {name} has lost or left: nothing can be forked there."
            return OvermindError("invalid", f"{lost} {see}")
        if row.state != ANSWERED:
            return OvermindError("invalid", f"Message {at} was not answered: nothing can be forked there. {see}")
        where = "on a terminal, or by an earlier version of Overmind"
        message = f"Message {at} was answered {where}: its place in the conversation is not known. Omit --at."
        return OvermindError("invalid", message)

    def _answer(self, started: Started) -> ForkedMission:
        known = self._agents.conversations([started.mission]).get(started.mission.id)
        point = None if known is None else known.fork
        source = None if point is None else self._registry.get(point.mission)
        return {
            **answers.started(started),
            "source": None if point is None else point.mission,
            "source_name": None if source is None else source.definition.name,
            "at": None if point is None else point.message,
        }


def _definition(source: Definition, prompt: str | None, name: str, *, parent: str | None) -> Definition:
    """The definition of a fork: the source's; what belongs to a task alone, such as its limit of time, is left out."""
    was_task = source.kind is not Kind.SESSION
    lines = (prompt or "").strip().splitlines()
    return replace(
        source,
        name=name,
        command=_command(source, lines),
        kind=Kind.SESSION,
        parent=parent,
        labels={key: value for key, value in source.labels.items() if not key.startswith(_OURS)},
        isolated=False,
        timeout=0.0 if was_task else source.timeout,
        restart=RestartPolicy() if was_task else source.restart,
    )


def _command(source: Definition, prompt_lines: Sequence[str]) -> str:
    if source.provider == RAW:
        return source.command
    return prompt_lines[0][: validate.LONGEST_COMMAND] if prompt_lines else os.path.basename(source.argv[0])


def _check_stored(source: Mission, known: Conversation, provider: Provider) -> None:
    """Refuse where nothing is stored yet, or where the turn under way can't be left out.

    Raises:
        OvermindError: `not_finished`; `invalid`, its conversation was lost.
    """
    called, name = _called(source), source.definition.name
    if known.mark and provider.forks_at:
        return
    if is_busy(known):
        if not _has_finished_turn(known):
            why = "in its first turn: nothing is stored yet"
        elif provider.forks_at:
            why = "in a turn, and the place where the one before has ended is not known"
        else:
            why = f"in a turn, and {provider.name} copies a conversation only between two"
        raise OvermindError("not_finished", f"{called} is {why}. Fork it after that: overmind fork {name}")
    if not known.begun:
        if known.lost:
            raise OvermindError("invalid", f"{called} has lost its conversation: there is nothing to fork.")
        raise OvermindError("not_finished", f"{called} has not had a turn yet: there is nothing to fork.")


def _has_finished_turn(known: Conversation) -> bool:
    return bool(known.mark or known.turns or known.cost or known.input_tokens)


def _is_of(row: MessageRow, known: Conversation) -> bool:
    """Return whether the place of a message's answer is known, and in the conversation as it is now."""
    place = place_of(row.answer)
    return row.state == ANSWERED and place is not None and place.lost == known.lost


def _mark(row: MessageRow) -> str:
    place = place_of(row.answer)
    return "" if place is None else place.mark


def _origin(known: Conversation) -> str:
    return known.fork.mission if known.fork is not None else ""


def _called(mission: Mission) -> str:
    return f"Mission {mission.id} ({mission.definition.name})"


def _at_message(number: int | None) -> str:
    return "" if number is None else f" at message {number}"
