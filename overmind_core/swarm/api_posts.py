"""`swarm_add`, `swarm_retry`, `swarm_inbox`, `swarm_answer`: quests of a swarm, and what posts ask people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from overmind_core.domain.swarm import quest_post
from overmind_core.domain.swarm.placement import Placement
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.requests import Nothing
from overmind_core.swarm import requests
from overmind_core.swarm.api_vault import check_known
from overmind_core.swarm.posts import find_post

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.request import Caller
    from overmind_core.quests.intake import QueuedWork
    from overmind_core.quests.requests import NewQuest
    from overmind_core.swarm import answer_types as answers
    from overmind_core.swarm.answers import NamedPost, Question
    from overmind_core.swarm.host import SwarmHost
    from overmind_core.system.machine import Clock

LOST = "lost"
"""Key of the swarm's own questions."""


class _Needed(NamedTuple):
    """A post that a new one needs."""

    id: str


class PostApi:
    """The requests about quests and questions of the swarm."""

    def __init__(self, host: SwarmHost, settings: Settings, clock: Clock) -> None:
        self._host = host
        self._settings = settings
        self._clock = clock

    @handles(requests.SwarmAdd)
    async def swarm_add(self, request: requests.SwarmAdd, caller: Caller) -> answers.SwarmQuestsAdded:
        """Post quests: all of them, or none; they are checked as those of a home's own queue."""
        del caller
        line = self._host.line()
        source = _source(request.source)
        refs = {one.ref for one in request.quests} | {one.name for one in request.quests}
        needs = sorted({need for one in request.quests for need in one.needs} - refs)
        known, live = await line.ask(lambda swarm: (swarm.named(needs) if needs else [], swarm.names(ended=False)))
        made = self._read(request, known, live)
        _check_cycles(made)
        placement = Placement(
            request.on, request.cpu, request.memory, request.pack, request.on_lost, request.lease,
            tuple(sorted(set(request.secrets))),
        )  # fmt: skip
        if request.secrets:
            check_known(request.secrets, await line.ask(lambda swarm: swarm.secrets()))
        definitions = [_definition(new, one, placement, source) for new, one in zip(request.quests, made, strict=True)]
        if source is None and any(new.into or new.owns for new in request.quests):
            raise OvermindError("invalid", "--into and --owns are about a repository, and you are in none. Go to one.")
        names = ", ".join(f"{one.quest.id} ({one.quest.name})" for one in made[:3])
        await line.ask_surely(lambda swarm: swarm.post(definitions), f"{names} may have been posted")
        return {"quests": [{"id": one.quest.id, "name": one.quest.name} for one in made]}

    def _read(
        self, request: requests.SwarmAdd, known: Sequence[NamedPost], live: Sequence[NamedPost]
    ) -> list[QueuedWork]:
        """Check the quests, and give them ids and names.

        Args:
            request: It.
            known: What they may need.
            live: All posts that have not ended: their names are taken.

        Raises:
            OvermindError: the first mistake.
        """
        import os  # noqa: PLC0415 - for those who post

        from overmind_core.quests.intake import Intake, quest_id  # noqa: PLC0415 - as above
        from overmind_core.quests.requests import QuestAdd  # noqa: PLC0415 - as above

        key = request.request or os.urandom(16).hex()
        ids = [quest_id(key, number, 0) for number in range(len(request.quests))]
        ours = set(ids)
        taken = {one.name for one in live if one.id not in ours}

        def find(word: str) -> _Needed:
            return _Needed(find_post(known, word).id)

        add = QuestAdd(request.quests, cwd=request.cwd, request=key)
        now = self._clock.wall()
        return Intake(add, self._settings, now=now, id_of=ids.__getitem__, taken=taken.__contains__, find=find).read()

    @handles(requests.SwarmPost)
    async def swarm_retry(self, request: requests.SwarmPost, caller: Caller) -> answers.SwarmCancelled:
        """Queue again a post that has ended."""
        del caller
        line = self._host.line()
        post = find_post(await line.ask(lambda swarm: swarm.named([request.id])), request.id)
        state = await line.ask(lambda swarm: swarm.retry(post.id))
        return {"id": post.id, "name": post.name, "state": state}

    @handles(Nothing)
    async def swarm_inbox(self, request: Nothing, caller: Caller) -> list[answers.SwarmQuestion]:
        """What posts ask, and what the swarm asks of those that are lost, oldest first."""
        del request, caller
        found, hives = await self._host.line().ask(lambda swarm: (swarm.questions(), swarm.hives()))
        now = self._clock.wall()
        seen = {one.name: now - (one.seen_ago or 0.0) for one in hives}
        return [_question(one, seen.get(one.hive or "", now)) for one in found if one.answer is None]

    @handles(requests.SwarmAnswer)
    async def swarm_answer(self, request: requests.SwarmAnswer, caller: Caller) -> answers.SwarmAnswered:
        """Answer one question, once; its hive hears of it within seconds."""
        del caller
        line = self._host.line()
        words = [] if request.id is None else [request.id]
        asked = _asked(request, await line.ask(lambda swarm: (swarm.questions(), swarm.named(words))))
        behaviour = request.behaviour or "allow"
        options = _labels(asked, request)
        answer: dict[str, Any] = {"answer": behaviour, "behaviour": behaviour}
        if request.message is not None:
            answer["message"] = request.message
        if options:
            answer["options"] = options
        state = await line.ask(lambda swarm: swarm.answer(asked.number, answer))
        return {
            "question": asked.number,
            "id": asked.post,
            "name": asked.name,
            "behaviour": behaviour,
            "state": state,
        }


def _check_cycles(made: Sequence[QueuedWork]) -> None:
    from overmind_core.quests.intake import check_cycles  # noqa: PLC0415 - for those who post

    check_cycles(made)


def _source(given: requests.QuestSource | None) -> quest_post.Source | None:
    if given is None:
        return None
    source = quest_post.Source(given.remote, given.commit, given.inside)
    try:
        quest_post.check_source(source)
    except quest_post.PostError as error:
        raise OvermindError("invalid", f"The swarm can't work on {given.remote}: {error}.") from None
    return source


def _definition(
    new: NewQuest, made: QueuedWork, placement: Placement, source: quest_post.Source | None
) -> dict[str, Any]:
    quest = made.quest
    assert quest.goal is not None
    given = {name: value for name, value in msgspec.to_builtins(new).items() if value not in (None, "", [], {})}
    given |= {"title": quest.goal.title, "provider": quest.provider, "retries": quest.retries}
    if new.command:
        given["command"] = new.command
    return quest_post.definition(
        post=quest.id,
        name=quest.name,
        given=given,
        needs=quest.goal.needs,
        deadline_at=quest.goal.deadline_at,
        placement=placement,
        source=source,
    )


def _asked(request: requests.SwarmAnswer, known: tuple[list[Question], list[NamedPost]]) -> Question:
    """The question that is answered.

    Raises:
        OvermindError: `not_found`, `invalid`.
    """
    questions, posts = known
    if request.question is None:
        if request.id is None:
            raise OvermindError(
                "invalid", "Missing question: give its number or its post. See: overmind inbox -H swarm"
            )
        post = find_post(posts, request.id).id
        found = [one for one in questions if one.post == post and one.answer is None]
        what = f"Post {request.id} asks nothing"
    else:
        found = [one for one in questions if one.number == request.question]
        what = f"There is no question swarm/{request.question}"
    if not found:
        raise OvermindError("not_found", f"{what}. See: overmind inbox -H swarm")
    return found[0]


def _labels(asked: Question, request: requests.SwarmAnswer) -> list[str]:
    """The options of an answer as every hive takes them, whatever its version.

    Raises:
        OvermindError: `invalid`, it asks for a permission, and nobody has said allow or deny; an option is none of its.
    """
    from overmind_core.domain.agents.choices import InvalidChoice, choices_of, chosen  # noqa: PLC0415 - for answers

    if request.behaviour is None and asked.body.get("need") != "question":
        message = f"Answer it with allow or deny: overmind answer swarm/{asked.number} allow"
        raise OvermindError("invalid", f"This is no question with options. {message}")
    choices = choices_of(asked.body.get("subject") or {})
    if request.behaviour is not None or not choices:
        return request.options
    try:
        found = chosen(choices, request.options, request.message)
    except InvalidChoice as error:
        raise OvermindError("invalid", str(error)) from None
    return [f"{number}:{label}" for number, labels in enumerate(found, 1) for label in labels]


def _question(one: Question, silent_since: float) -> answers.SwarmQuestion:
    """As an inbox shows it. `silent_since`: when its hive was seen last, in seconds since the epoch."""
    row: dict[str, Any] = {
        "about": {"kind": "mission", "id": one.post, "name": one.name}, "need": one.key, "tool": "",
        "summary": str(one.body.get("text", "")), "subject": {}, "rule": None, "options": [], "choices": [],
        "replaces": None, "attach_only": False, "asked_at": format_time(silent_since),
    }  # fmt: skip
    if one.key != LOST:
        row |= {name: one.body[name] for name in (*row, "part") if name in one.body}
    there = int(one.key) if one.key.isascii() and one.key.isdigit() else None
    facts = {"question": one.number, "id": one.post, "name": one.name, "hive": one.hive, "there": there}
    found: answers.SwarmQuestion = {**facts, **row}  # type: ignore[typeddict-item] # of its shape
    return found
