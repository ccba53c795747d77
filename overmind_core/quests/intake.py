"""Turns a request into quests of the queue; whatever is wrong is refused before anything is recorded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.mission import Kind
from overmind_core.domain.quests.needs import cycle_among
from overmind_core.domain.quests.quest import Goal, Priority, Quest, QuestStatus, QueueState, SwarmWork
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.globs import glob_problem
from overmind_core.domain.text.moment import parse_later
from overmind_core.domain.text.slug import slug_of
from overmind_core.errors import OvermindError
from overmind_core.missions import validate
from overmind_core.missions.requests import Start
from overmind_core.providers import registry as providers
from overmind_core.quests.store import SHARED, StoredWork

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from overmind_core.domain.quests.quest import SwarmPost
    from overmind_core.kernel.config import Settings
    from overmind_core.missions.requests import Amount
    from overmind_core.missions.spec import MissionSpec
    from overmind_core.quests.requests import NewQuest, QuestAdd

LARGEST_BRIEF = 64 * 1024
"""Most bytes of a brief, and of a person's addition to the feedback."""
MOST_NEEDS = 100
_SHOWN_NAMES = 10
"""Quests that an error about a cycle names."""
MOST_OWNS = 200
MOST_OUTPUTS = 50
BETWEEN = 1e-6
"""Seconds between the quests of a request: of equally urgent ones the first in the request begins first."""
LONGEST_TITLE = 300
LONGEST_FILE_NAME = 255
"""Bytes."""
PERSON = "person"
"""The reviewer that is no provider."""


class Needed(Protocol):
    """What another quest may need."""

    @property
    def id(self) -> str:
        """Its id."""


class QueuedWork(NamedTuple):
    """A quest that is about to be put into the queue."""

    quest: Quest
    spec: MissionSpec
    work: StoredWork
    ref: str | None


class QuestOrigin(NamedTuple):
    """Where added quests come from: a person, a spec, or the swarm."""

    prefix: str = ""
    """Prefix of their names: `login/`."""
    spec: str | None = None
    """Id of the spec that they belong to."""
    feedback: str = ""
    """Feedback for the first attempt, in Markdown."""
    post: SwarmPost | None = None
    """The swarm's post that it does."""
    elsewhere: bool = False
    """Their attempts are posts of the swarm, and land there."""


PERSON_ADDS = QuestOrigin()


def quest_id(request: str, number: int, salt: int) -> str:
    """The id of quest `number` of a request; a repeat of the request finds the quest by it.

    `salt`: increased until no other quest has the id.
    """
    import hashlib  # noqa: PLC0415 - a daemon without quests begins without it

    found = hashlib.sha256(f"{request}\0{number}\0{salt}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"a{found[1:]}" if found.isdigit() else found


class Intake:
    """Turns the quests of one request, one after the other, into what is saved of them."""

    def __init__(
        self,
        request: QuestAdd,
        settings: Settings,
        *,
        now: float,
        id_of: Callable[[int], str],
        taken: Callable[[str], bool],
        find: Callable[[str], Needed],
        origin: QuestOrigin = PERSON_ADDS,
    ) -> None:
        """`now`: seconds since the epoch. `id_of`: of the quest of this number. `find`: the quest that a word means."""
        self._origin = origin
        self._request = request
        self._shared = environment_owner(request.env)
        self._settings = settings
        self._now = now
        self._id_of = id_of
        self._taken = taken
        self._find = find
        self._names: set[str] = set()
        self._refs: dict[str, str] = {}
        self._chosen: dict[str, str] = {}
        """Chosen name of a quest → its id: others of the request may need it by that name."""

    def read(self) -> list[QueuedWork]:
        """All of them.

        Raises:
            OvermindError: naming the first thing that is wrong, and the quest where there are several; the field
                `number` is the place of that, from 1.
        """
        several = len(self._request.quests) > 1
        for number, new in enumerate(self._request.quests):
            if new.ref is not None and self._refs.setdefault(new.ref, self._id_of(number)) != self._id_of(number):
                raise OvermindError("invalid", f"Two quests have the ref {new.ref!r}.", number=number + 1)
            if new.name is not None:
                self._chosen.setdefault(self._origin.prefix + new.name, self._id_of(number))
        found = []
        for number, new in enumerate(self._request.quests):
            try:
                found.append(self._one(new, self._id_of(number), self._now + number * BETWEEN))
            except OvermindError as error:
                if not several:
                    raise
                where = f"Quest {number + 1} ({new.title[:40]!r}): {error.message}"
                raise OvermindError(error.code, where, **error.fields, number=number + 1) from None
        return found

    def _one(self, new: NewQuest, id_: str, now: float) -> QueuedWork:
        title = checked_title(new.title)
        name = self._name(new, title, id_)
        start = self._start(new, title)
        spec = spec_of(start, self._settings, name=name)
        goal = self._goal(new, title, spec)
        lands_here = goal.into is not None and not self._origin.elsewhere
        if lands_here and new.isolate is False:
            raise OvermindError("invalid", "--into needs a worktree of its own: omit --no-isolate.")
        definition = spec.definition
        if spec.agent is not None and not start.activity_timeout:
            definition = replace(definition, activity_timeout=self._settings.queue.activity_timeout)
        isolate = True if lands_here else spec.isolate
        base = goal.into if lands_here and spec.base is None else spec.base
        if definition is not spec.definition or lands_here:
            spec = replace(spec, definition=definition, isolate=isolate, base=base)
        quest = Quest(
            id=id_,
            name=name,
            command=title if spec.agent is not None else definition.command,
            cwd=definition.cwd,
            provider=definition.provider,
            created_at=now,
            check=checked_check(new.check),
            retries=validate.checked_retries(new.retries),
            status=QuestStatus.QUEUED,
            attempts=0,
            goal=goal,
            queue=QueueState(
                able_at=now,
                request=self._request.request,
                spec=self._origin.spec,
                feedback=self._origin.feedback,
                post=self._origin.post,
                elsewhere=SwarmWork() if self._origin.elsewhere else None,
            ),
        )
        work = StoredWork(definition, spec.agent, isolate, base, spec.environment.chosen, self._shared)
        return QueuedWork(quest, spec, work, new.ref)

    def _name(self, new: NewQuest, title: str, id_: str) -> str:
        def taken(name: str) -> bool:
            return name in self._names or self._taken(name)

        if new.name is None:
            name = slug_of(title, taken, unnamed=f"quest-{id_}")  # one that nobody else will ever have
        else:
            name = self._origin.prefix + validate.checked_name(new.name)
            if taken(name):
                raise OvermindError("name_taken", f"The name {name!r} is taken. Choose another one with --name")
        self._names.add(name)
        return name

    def _start(self, new: NewQuest, title: str) -> NewQuest:
        """The request `run` of its mission, without restarts."""
        if new.restart != "never":
            raise OvermindError("invalid", "A quest ends on its own: use --retries N instead of --restart.")
        if new.type not in {None, Kind.TASK.value}:
            raise OvermindError("invalid", f"A quest is always a task: --type {new.type} is for overmind run.")
        prompt = "" if new.agent is None else new.agent.prompt or ""
        provider, command = provider_and_command(new.provider, new.command or prompt, self._settings)
        if provider != RAW and not command:
            command = title  # the prompt is written for each attempt
        request = self._request
        return msgspec.structs.replace(
            new,
            command=command,
            type=Kind.TASK.value,
            provider=provider,
            cwd=new.cwd or request.cwd,
            env=request.env,
            umask=request.umask,
            backoff=self._settings.queue.backoff * 1000 if new.backoff == "" else new.backoff,
            name=None,
            request=None,
        )

    def _goal(self, new: NewQuest, title: str, spec: MissionSpec) -> Goal:
        given = new.agent.prompt if new.agent is not None else None
        if spec.agent is not None and given is None and new.command:
            given = spec.agent.prompt
        brief, needs = new.brief or given or "", self._needs(new.needs)
        return Goal(
            title=title,
            brief=checked_brief(brief),
            needs=needs,
            needs_min=checked_min(new.needs_min, len(needs)),
            priority=checked_priority(new.priority),
            deadline_at=checked_deadline(new.deadline, self._now),
            owns=checked_owns(new.owns),
            outputs=checked_outputs(new.outputs),
            review=checked_review(new.review),
            into=new.into or None,
            verify=checked_verify(new.verify, new.into),
            allow_empty=new.allow_empty,
            estimate=checked_estimate(new.estimate),
            max_cost=new.max_cost,
            group=new.group or None,
        )

    def _needs(self, needs: Sequence[str]) -> tuple[str, ...]:
        check_number_of_needs(len(needs))
        return tuple(dict.fromkeys(self._id_needed(one) for one in needs))

    def _id_needed(self, word: str) -> str:
        return self._refs.get(word) or self._chosen.get(word) or self._find(word).id


def check_number_of_needs(number: int) -> None:
    """Raise `too_large` for more needs than a quest can have."""
    if number > MOST_NEEDS:
        raise OvermindError("too_large", f"A quest can need up to {MOST_NEEDS} others; these are {number}.")


def provider_and_command(
    provider: str, command: str | Sequence[str], settings: Settings
) -> tuple[str, str | list[str]]:
    """The provider, and the command or prompt as given; those of the queue's agent if none was given.

    Raises:
        OvermindError: `invalid`: neither was given, and the queue has no agent.
    """
    words = command if isinstance(command, str) else list(command)
    if words:
        return provider or RAW, words
    agent = settings.queue.agent
    if provider and provider != RAW:
        return provider, ""
    if provider == RAW or not agent:
        message = (
            "Missing command: nothing would do this quest. Give a command after --, or an agent with --provider claude"
        )
        raise OvermindError("invalid", f"{message}, or set [queue] agent in config.toml.")
    return (agent, "") if isinstance(agent, str) else (RAW, list(agent))


def checked_title(title: str) -> str:
    """The title in one line; raises `invalid`, `too_large`."""
    line = " ".join(title.split())
    if not line:
        raise OvermindError("invalid", "Missing title: say in one line what is to be done.")
    if len(line) > LONGEST_TITLE:
        raise OvermindError("too_large", f"The title has {len(line)} characters; the limit is {LONGEST_TITLE}.")
    if "\0" in line:
        raise OvermindError("invalid", "The title contains a NUL character.")
    return line


def checked_brief(text: str) -> str:
    """The text itself; raises `too_large`, `invalid`."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LARGEST_BRIEF:
        raise OvermindError("too_large", f"The text has {size} bytes; the limit is {LARGEST_BRIEF // 1024} KiB.")
    if "\0" in text:
        raise OvermindError("invalid", "The text contains a NUL character.")
    return text


def checked_check(check: str | None) -> str | None:
    """The command itself; raises `empty_command`, `invalid`, `too_large`."""
    if check is not None and not check.strip():
        raise OvermindError(
            "empty_command", "Missing check: give a command that exits 0 once it is done, as in --check 'make test'."
        )
    validate.check_text(check or "", "--check")
    return check


def checked_verify(verify: str | None, into: str | None) -> str | None:
    """The command itself; raises `invalid`, such as that there is nothing to verify; `empty_command`, `too_large`."""
    if verify is not None and not verify.strip():
        raise OvermindError("empty_command", "Missing command: give one that exits 0 when the merged work is good.")
    if verify is not None and not into:
        raise OvermindError("invalid", "--verify is about merged work: add --into BRANCH")
    validate.check_text(verify or "", "--verify")
    return verify


def checked_min(least: int, needs: int) -> int:
    """So many needs are enough; raises `invalid`."""
    if least > needs:
        raise OvermindError("invalid", f"--needs-min is {least}, but there {_are(needs)}.")
    return least


def _are(needs: int) -> str:
    return "is 1 need" if needs == 1 else f"are {needs} needs"


def checked_priority(word: str) -> Priority:
    """The priority of this name; raises `invalid`."""
    try:
        return Priority(word)
    except ValueError:
        known = ", ".join(one.value for one in Priority)
        raise OvermindError("invalid", f"Unknown priority {word!r}. Known: {known}.") from None


def checked_deadline(deadline: Amount | None, now: float) -> float | None:
    """Seconds since the epoch; raises `invalid`."""
    if deadline is None or deadline == "":
        return None
    if not isinstance(deadline, str):
        return now + validate.seconds(deadline, "--deadline")
    try:
        found = parse_later(deadline, now)
    except ValueError:
        message = (
            f"--deadline: {deadline!r} is neither a time nor a duration. Examples: 2h, 17:30, 2026-01-31T12:00:00Z"
        )
        raise OvermindError("invalid", message) from None
    if found < now:  # it would go before all others, for a slip of the pen
        raise OvermindError("invalid", f"--deadline: {deadline!r} has passed. Give one to come, such as 2h or 17:30.")
    return found


def checked_estimate(estimate: Amount | None) -> float | None:
    """Seconds; raises `invalid`."""
    if estimate is None or estimate == "":
        return None
    found = validate.seconds(estimate, "--estimate")
    if not found:
        raise OvermindError("invalid", "--estimate: 0 is no estimate: give a duration above 0, such as 30m.")
    return found


def checked_owns(patterns: Collection[str]) -> tuple[str, ...]:
    """The patterns themselves; raises `invalid`, `too_large`."""
    if len(patterns) > MOST_OWNS:
        raise OvermindError("too_large", f"A quest can own up to {MOST_OWNS} patterns; these are {len(patterns)}.")
    for one in patterns:
        problem = glob_problem(one)
        if problem is not None:
            raise OvermindError("invalid", f"--owns: {one[:80]!r} {problem}.")
    return tuple(dict.fromkeys(patterns))


def checked_outputs(names: Collection[str]) -> tuple[str, ...]:
    """The names themselves; raises `invalid`, `too_large`."""
    if len(names) > MOST_OUTPUTS:
        raise OvermindError("too_large", f"A quest can have up to {MOST_OUTPUTS} outputs; these are {len(names)}.")
    for one in names:
        if (problem := file_name_problem(one)) is not None:
            raise OvermindError("invalid", f"--outputs: {one[:80]!r} {problem}.")
    return tuple(dict.fromkeys(names))


def file_name_problem(name: str) -> str | None:
    """What is wrong with a file name, as the end of a sentence; None: nothing."""
    if not name.strip() or name in {".", ".."}:
        return "is not the name of a file"
    if "/" in name:
        return "leads to another folder: give a plain name, as in report.md"
    if any(not one.isprintable() for one in name):
        return "has characters that can't be printed"
    if len(os.fsencode(from_wire(name))) > LONGEST_FILE_NAME:
        return f"has more than {LONGEST_FILE_NAME} bytes"
    return None


def checked_review(review: str | None) -> str | None:
    """A provider, or `person`; raises `unknown_provider`."""
    if not review:
        return None
    known = [name for name in providers.names() if name != RAW]
    if review != PERSON and review not in known:
        message = f"Unknown reviewer {review!r}. Known: {', '.join((PERSON, *known))}."
        raise OvermindError("unknown_provider", message)
    return review


def review_spec(quest: Quest, spec: MissionSpec, settings: Settings) -> MissionSpec | None:
    """Return a spec of the program that is to review a quest, to look for it; None: no program other than its own."""
    review = None if quest.goal is None else quest.goal.review
    if review in {None, PERSON, quest.provider}:
        return None
    asked = Start(command=quest.name, cwd=quest.cwd, env=spec.environment.inherited, provider=review, isolate=False)
    return replace(spec_of(asked, settings, name=quest.name), environment=spec.environment)


def environment_owner(environment: dict[str, str]) -> str:
    """The owner under which an environment is stored, once for all quests that share it."""
    text = msgspec.json.encode(environment, order="deterministic")
    import hashlib  # noqa: PLC0415 - as above

    return f"{SHARED}{hashlib.sha256(text).hexdigest()}"


def check_cycles(made: Sequence[QueuedWork]) -> None:
    """Refuse cycles. Only the quests of one request can form one, as nothing else needs them yet.

    Raises:
        OvermindError: `cycle`.
    """
    new = {one.quest.id: one.quest for one in made}
    loop = cycle_among(new, lambda one: needs_of(new.get(one)))
    if loop:
        raise cycle_error([new[one].name for one in loop])


def needs_of(quest: Quest | None) -> Sequence[str]:
    """The ids of what a quest of the queue needs."""
    return () if quest is None or quest.goal is None else quest.goal.needs


def cycle_error(names: Sequence[str]) -> OvermindError:
    """An error for quests that need each other, in their order."""
    shown = [*names[:_SHOWN_NAMES], *([f"… {len(names) - _SHOWN_NAMES} more"] if len(names) > _SHOWN_NAMES else [])]
    message = f"These quests would need each other: {' → '.join([*shown, names[0]])}."
    return OvermindError("cycle", message, members=list(names))
