"""The missions of an attempt: its work, its check, its review; what each is given, and what the work hands in."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.domain.agents.agent import RAW, AgentFolders, with_program_of
from overmind_core.domain.engine_questions import UNDOES_LANDED
from overmind_core.domain.landing import RemoteTarget
from overmind_core.domain.missions.facts import StartAsked
from overmind_core.domain.quests import briefing, shared_folder
from overmind_core.domain.quests.attempt import undoing_before, with_conflict
from overmind_core.domain.quests.briefing import VERDICT
from overmind_core.domain.quests.checked_work import checked_work, is_compared, passed_state, with_check_begun
from overmind_core.domain.quests.classes import CONFLICT_LEFT, CONFLICTS, NO_CHANGE, UNFIT, VERIFY_FAILED, is_redone
from overmind_core.domain.quests.life import has_landed_nothing, is_done
from overmind_core.domain.quests.quest import CHECK, REVIEW
from overmind_core.domain.quests.resolution import dropped_sentence
from overmind_core.domain.quests.variables import variables
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.cells import cut, display_safe
from overmind_core.errors import OvermindError
from overmind_core.missions.requests import Start
from overmind_core.missions.spec import MissionSpec
from overmind_core.missions.validate import shell_definition
from overmind_core.quests import input_folder
from overmind_core.quests.look_ahead import LookAhead, first_spec
from overmind_core.quests.outcomes import UNCHANGED
from overmind_core.quests.ports import LandingRequest, OutputProblem, SpecInput
from overmind_core.quests.spare_folders import SpareFolders

SUBJECT_CELLS = 72
"""Width of a commit's subject, as `git log` and its readers expect it."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from overmind_core.agents.results import MissionResults
    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.missions.mission import Definition, Mission
    from overmind_core.domain.quests.briefing import Briefing
    from overmind_core.domain.quests.quest import Goal, Quest, QueueState, SwarmPost
    from overmind_core.domain.quests.shared_folder import ShownChanges
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.environment import Environments, SavedEnvironments
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.missions.spec import Environment
    from overmind_core.missions.store import EnvironmentTable
    from overmind_core.quests.look_ahead import Beginning
    from overmind_core.quests.ports import AgentWork, Lander, SpecWork
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.store import StoredWork
    from overmind_core.system.paths import Home

    Also = Callable[[Mission], Callable[[], None]]

LARGEST_VERDICT = 64 * 1024
HANDED_IN = "Each try has to leave it in $OVERMIND_OUTPUT_DIR."
"""Said to whoever tries next."""
LARGEST_OUTPUT = 4 << 20
"""Bytes of a file that is handed in."""
MOST_HANDED_ON = 64 << 20
"""Bytes of all files that an attempt is given of those that it needs; what is beyond stays where it is."""
LARGEST_RESULT = 64 * 1024
"""Bytes of the final answer of a quest, as those read it that need it."""
FEW_BYTES = 32 * 1024


_FAILED_TOGETHER = frozenset({CONFLICTS, CONFLICT_LEFT, VERIFY_FAILED, UNDOES_LANDED})
"""Classes of work that is good by itself, and not together with what has landed meanwhile."""
_HALF_DONE = frozenset({CONFLICT_LEFT, UNFIT})
"""Classes of work that may stand half merged in its worktree; an older daemon knew only the second of them."""
_log = logging.getLogger(__name__)


class Verdict(NamedTuple):
    """What a reviewing provider has decided."""

    passes: bool
    feedback: str


class AttemptWork:
    """Starts the missions of attempts. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        journal: Journal,
        settings: Settings,
        registry: Registry,
        missions: Missions,
        agents: AgentWork,
        results: MissionResults,
        lander: Lander,
        environments: Environments,
        saved: SavedEnvironments,
        environment_table: EnvironmentTable,
        specs: SpecWork,
        home: Home,
    ) -> None:
        self._quests = quests
        self._journal = journal
        self._settings = settings
        self._registry = registry
        self._missions = missions
        self._agents = agents
        self._results = results
        self._lander = lander
        self._environments = environments
        self._saved = saved
        self._environment_table = environment_table
        self._specs = specs
        self._home = home
        self._spares = SpareFolders(home)
        self._ahead = LookAhead(quests, home)

    # the work

    def look_ahead(self, count: int, quests: Iterable[Quest]) -> None:
        """So many are queued, of which these may begin soon."""
        self._ahead.look(quests)
        self._spares.want(count)  # last: what reads the store would wait for the thread

    def known(self, quest: Quest) -> Beginning | None:
        """What is known already of how a quest begins whose turn has come."""
        return self._ahead.take(quest)

    async def begin(self, quest: Quest, *, is_new: bool = False, known: Beginning | None = None) -> None:
        """Start the run of the newest attempt, unless that was done already.

        Args:
            quest: As it stands.
            is_new: It has no mission yet.
            known: What `known` has returned when its turn came.

        Raises:
            OvermindError: it can't be started.
        """
        if known is not None:
            await self._prepared(quest, quest.id, known.files)
            await self._start_first(quest, known.spec)
            return
        work = None if is_new else self._registry.get(quest.id)
        if work is not None and work.run >= _queue(quest).tries[-1].run:
            return
        of_spec = await self._of_spec(quest)
        brief = await self._briefing(quest, of_spec)
        if work is not None:
            brief = await self._with_merge(quest, brief)
        folders = await self._prepared(quest, quest.id, briefing.files(brief))
        given = self._variables(quest, folders, of_spec)
        if work is not None:
            made, environment = work.definition, self._environments.of(work.id)
            if not await self._recorded(quest, made, environment, isolated=made.isolated):
                return
            work = self._registry.get(quest.id) or work  # once more: it may have been edited meanwhile
        stored = self._quests.work(quest.id)
        agent = stored.agent if stored is not None else self._agents.agent(quest.id)
        if agent is not None and quest.provider != RAW:
            prompt = briefing.prompt(brief, inputs=folders.inputs, outputs=folders.outputs)
            agent = replace(agent, prompt=prompt, folders=folders)
        if work is None:
            await self._begin_first(quest, stored, given, agent)
        else:
            self._begin_again(work, stored, given, agent)

    async def _with_merge(self, quest: Quest, brief: Briefing) -> Briefing:
        """Begin where the landing failed: with both sides in the worktree, which the work is to bring together."""
        goal, queue = _goal(quest), _queue(quest)
        refused = undoing_before(queue)
        if goal.into is not None and refused is not None:
            return await self._at_target(quest, goal.into, refused.attempt, brief)
        if goal.into is None or queue.failure not in {*_FAILED_TOGETHER, *_HALF_DONE}:
            return brief
        if queue.failure in _HALF_DONE and is_redone(quest):
            return await self._anew(quest, goal.into, brief)
        if queue.failure not in _FAILED_TOGETHER:
            return brief
        try:
            begun = await self._lander.begin_merge(quest.id, goal.into, _remote(quest))
        except OvermindError as error:
            _log.info("%s can't be merged into the work of quest %s: %s", goal.into, quest.id, error.message)
            return brief
        current = self._quests.live.get(quest.id)
        if current is not None:
            met = with_conflict(current, begun.landed, begun.own, begun.conflicting)
            if met is not current:
                self._quests.put(met)
        return replace(
            brief, feedback=briefing.with_merge(brief.feedback, goal.into, begun.conflicting or begun.marked)
        )

    async def _at_target(self, quest: Quest, into: str, attempt: int, brief: Briefing) -> Briefing:
        """Begin at what has landed: the work of an earlier attempt lacks some of that, which no person has allowed.

        Raises:
            OvermindError: the worktree has that work still.
        """
        branch = await self._lander.set_aside(quest.id, into, _remote(quest), attempt)
        self._put_aside(quest.id, branch)
        dropped = dropped_sentence(_queue(quest).dropped)
        return replace(brief, feedback=briefing.with_set_aside(brief.feedback, into, attempt, dropped, branch))

    def _put_aside(self, quest_id: str, branch: str | None) -> None:
        """Remember the branch that has earlier work of a quest."""
        current = self._quests.live.get(quest_id)
        if current is not None and branch is not None and branch not in _queue(current).aside:
            queue = _queue(current)
            self._quests.put(replace(current, queue=replace(queue, aside=(*queue.aside, branch))))

    async def _anew(self, quest: Quest, into: str, brief: Briefing) -> Briefing:
        """Have a command, which reads no marks, do its work once more on top of what has landed."""
        try:
            failed = _queue(quest).tries[-1].number - 1
            left = await self._lander.begin_anew(quest.id, into, _remote(quest), failed)
        except OvermindError as error:
            _log.info("quest %s can't begin anew at %s: %s", quest.id, into, error.message)
            return brief
        if left is None:
            return brief
        self._put_aside(quest.id, left.branch)
        return replace(brief, feedback=briefing.with_anew(brief.feedback, into, left.conflicting, left.branch))

    def _variables(self, quest: Quest, folders: AgentFolders, spec: SpecInput | None) -> dict[str, str]:
        attempt = _queue(quest).tries[-1].number
        return variables(
            inputs=folders.inputs, outputs=folders.outputs, quest=quest.id, attempt=attempt, **_spec_names(spec)
        )

    async def _prepared(self, quest: Quest, mission_id: str, files: Mapping[str, bytes]) -> AgentFolders:
        """The folders of a mission of the newest attempt, made anew. Wire form.

        Raises:
            OvermindError: `disk_full` or `setup_failed`, they can't be made.
        """
        few = sum(map(len, files.values())) < FEW_BYTES
        is_first = mission_id != quest.id or len(_queue(quest).tries) == 1
        spare = self._spares.take() if is_first else None
        try:
            if few:  # done sooner than a thread would begin
                made = input_folder.prepare(self._home, mission_id, files, spare=spare)
            else:
                made = await asyncio.to_thread(input_folder.prepare, self._home, mission_id, files, spare=spare)
        except OSError as error:
            code = "disk_full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "setup_failed"
            raise OvermindError(code, f"The folders of quest {quest.name} can't be made: {error.strerror}.") from None
        return AgentFolders(to_wire(made.inputs), to_wire(made.outputs))

    async def _begin_first(
        self, quest: Quest, stored: StoredWork | None, given: Mapping[str, str], agent: Agent | None
    ) -> None:
        if stored is None:
            raise OvermindError("gone", f"The work of quest {quest.id} ({quest.name}) is no longer known.")
        spec = first_spec(quest, stored, self._quests, given)
        await self._start_first(quest, replace(spec, agent=agent))

    async def _start_first(self, quest: Quest, spec: MissionSpec) -> None:
        if await self._recorded(quest, spec.definition, spec.environment, isolated=bool(spec.isolate)):
            await self._missions.start_child(spec, settled=False, is_new=True, mission_id=quest.id)

    async def _recorded(self, quest: Quest, made: Definition, environment: Environment, *, isolated: bool) -> bool:
        """Record how the folder is in which the newest attempt begins, if its review is to compare with that.

        After a kill -9 it is recorded anew, as nothing of the attempt has run. False: it is not to begin any more.
        """
        if not shared_folder.is_compared(quest):
            return True
        state = await self._lander.folder_state(quest.id, made.cwd, environment, isolated=isolated)
        current = self._quests.live.get(quest.id)
        if current is None or current.cancelling:
            return False
        if state is not None:
            self._quests.put(shared_folder.with_state(current, state))
        return True

    def _begin_again(
        self, work: Mission, stored: StoredWork | None, given: Mapping[str, str], agent: Agent | None
    ) -> None:
        """Another run of the same mission, as it was changed meanwhile; an agent begins a new conversation."""
        definition = work.definition
        saved = self._saved.of(work.id)
        if stored is not None:  # it was edited
            definition = replace(stored.definition, cwd=definition.cwd, isolated=definition.isolated)
            saved = saved._replace(chosen=stored.chosen)
        text = msgspec.json.encode({"inherited": saved.inherited, "chosen": {**saved.chosen, **given}}).decode()
        with self._journal.together():
            self._journal.save(lambda: self._environment_table.save(work.id, text))
            if agent is not None and definition.provider != RAW:
                self._agents.redefine(work.id, agent)
            self._registry.apply(replace(work, definition=definition), StartAsked())

    async def _briefing(self, quest: Quest, spec: SpecInput | None) -> Briefing:
        goal, queue = _goal(quest), _queue(quest)
        return briefing.Briefing(
            goal.title,
            goal.brief,
            author=None if queue.source is None else self._name_of(queue.source),
            feedback=queue.feedback,
            expects=goal.outputs,
            needs=await self._deliveries(goal) | await self._brought(quest),
            spec={} if spec is None else spec.documents,
            partial={} if spec is None else spec.partial,
            schema=None if spec is None else spec.schema,
        )

    async def _deliveries(self, goal: Goal) -> dict[str, briefing.Delivery]:
        room = MOST_HANDED_ON
        found = {}
        for quest in self._needed(goal):
            delivery = await self._delivery(quest)
            room -= sum(map(len, delivery.outputs.values()))
            found[quest.name] = delivery if room >= 0 else replace(delivery, outputs={})
        return found

    async def _brought(self, quest: Quest) -> dict[str, briefing.Delivery]:
        """What quests of other hives have handed on to it."""
        if _queue(quest).post is None:
            return {}
        found: dict[str, dict[str, bytes]] = {}
        for path, data in (await asyncio.to_thread(input_folder.brought, self._home, quest.id)).items():
            kind, _, rest = path.partition("/")
            need, _, name = rest.partition("/")
            if kind == briefing.NEEDS and name:
                found.setdefault(need, {})[name] = data
        return {name: briefing.Delivery(data) for name, data in found.items()}

    def _name_of(self, source: str) -> str:
        """What the mission is called that has reported something; its id, once it was removed."""
        mission = self._registry.get(source)
        return source if mission is None else mission.definition.name

    async def _delivery(self, quest: Quest) -> briefing.Delivery:
        """What a quest that is done hands on."""
        names = () if quest.goal is None else quest.goal.outputs
        data: Mapping[str, bytes] = {}
        if names:
            found = await asyncio.to_thread(input_folder.handed_in, self._home, quest.id, names, largest=LARGEST_OUTPUT)
            data = found.data
        mission = None if quest.provider == RAW else self._registry.get(quest.id)
        result = "" if mission is None else await self._results.result(mission)
        return briefing.Delivery(data, briefing.tail(result, LARGEST_RESULT), has_landed=not has_landed_nothing(quest))

    def _needed(self, goal: Goal) -> list[Quest]:
        """The quests that it needs and that are done."""
        found = [self._quests.get(need) for need in goal.needs]
        return [one for one in found if one is not None and is_done(one)]

    async def _of_spec(self, quest: Quest) -> SpecInput | None:
        queue = _queue(quest)
        if queue.spec is not None:
            return await self._specs.given(quest)
        if queue.post is None or queue.post.spec is None:
            return None
        return _of_post(
            queue.post, queue.post.spec, await asyncio.to_thread(input_folder.brought, self._home, quest.id)
        )

    # beside the work

    async def check(self, quest: Quest, work: Mission, also: Also) -> Mission:
        """Start the check of the newest attempt; raises as `Missions.start_child` does."""
        assert quest.check is not None
        known = checked_work(quest)
        if known is None and is_compared(quest):  # before it begins: what is written meanwhile was not checked
            state = await self._lander.work_state(quest.id)
            if state is not None and (current := self._quests.live.get(quest.id)) is not None:
                self._quests.put(with_check_begun(current, state))
        again = "" if known is None or known.checks == 1 else f".{known.checks}"
        made = work.definition
        definition = shell_definition(
            quest.check,
            name=f"{quest.name}/{CHECK}",
            parent=work.id,
            cwd=made.cwd,
            umask=made.umask,
            timeout=made.timeout,
            labels=made.labels,
        )
        spec = MissionSpec(definition, self._environments.of(work.id), request=_key(quest, CHECK) + again)
        return (await self._missions.start_child(spec, also=also, limited=False)).mission

    async def review(self, quest: Quest, work: Mission, also: Also) -> Mission:
        """Start the provider that reviews the newest attempt; raises as `Missions.start_child` does.

        Raises:
            OvermindError: one of `UNFIT_TO_LAND`, as its landing would.
        """
        from overmind_core.agents.spec import spec_of  # noqa: PLC0415 - for those who have somebody review

        key = _key(quest, REVIEW)
        earlier = self._missions.by_request(key)
        if earlier is not None:
            return earlier
        of_spec = await self._of_spec(quest)
        brief = await self._briefing(quest, of_spec)
        # Before it is shown: what is written meanwhile has changed; but others go on in a folder that is shared.
        is_own = self._lander.worktree(quest.id) is not None
        state = await self._lander.work_state(quest.id, _goal(quest).into) if is_own else None
        is_to_land = is_own and _goal(quest).into is not None and not _goal(quest).allow_empty
        if is_to_land and await self._lander.is_unchanged(quest.id):
            raise OvermindError(NO_CHANGE, UNCHANGED)
        changes = await self._lander.shown_changes(quest.id, shared_folder.newest_state(quest))
        if (current := self._quests.live.get(quest.id)) is not None:
            self._quests.put(shared_folder.with_shown(current, state))
        mission_id = self._missions.new_id()
        folders = await self._prepared(quest, mission_id, briefing.review_files(brief, _review_text(quest, changes)))
        prompt = briefing.review_prompt(
            brief,
            name=quest.name,
            inputs=folders.inputs,
            outputs=folders.outputs,
            changes=bool(changes.text),
            note=shared_folder.review_sentence(quest, changes),
        )
        made, world = work.definition, self._environments.of(work.id)
        asked = Start(
            command=prompt, cwd=made.cwd, env=world.inherited, umask=made.umask, provider=_goal(quest).review or RAW,
            labels=made.labels, timeout=made.timeout, isolate=False, notes=made.notes,
        )  # fmt: skip
        spec = spec_of(asked, self._settings, name=f"{quest.name}/{REVIEW}", parent=work.id)
        own = self._agents.agent(work.id)
        agent = spec.agent
        if agent is not None:
            agent = replace(agent, folders=folders, deny=() if own is None else own.deny)
            if own is not None and made.provider == spec.definition.provider:
                agent = with_program_of(replace(agent, allow=own.allow, model=own.model), own)
        environment = world._replace(chosen={**world.chosen, **self._variables(quest, folders, of_spec)})
        silence = self._settings.queue.activity_timeout
        spec = replace(
            spec,
            definition=replace(spec.definition, activity_timeout=silence),
            environment=environment,
            agent=agent,
            request=key,
        )
        return (await self._missions.start_child(spec, also=also, limited=False, mission_id=mission_id)).mission

    # what it hands in

    async def output_problem(self, quest: Quest) -> OutputProblem | None:
        """Why what the newest attempt has handed in is no good; None: it is."""
        judged = await self._specs.judge(quest) if _queue(quest).spec is not None else None
        if judged is not None:
            return judged.problem
        found = await asyncio.to_thread(
            input_folder.handed_in, self._home, quest.id, _goal(quest).outputs, largest=LARGEST_OUTPUT
        )
        if found.missing:
            return OutputProblem("output_missing", f"It did not hand in {', '.join(found.missing)}. {HANDED_IN}")
        if found.too_large:
            limit = f"{LARGEST_OUTPUT >> 20} MiB"
            return OutputProblem(UNFIT, f"Larger than {limit}: {', '.join(found.too_large)}.")
        return None

    async def verdict(self, quest: Quest) -> Verdict | None:
        """What the reviewing provider has written; None: nothing that can be used."""
        assert _queue(quest).review_id is not None
        reviewer = _queue(quest).review_id or ""
        found = await asyncio.to_thread(
            input_folder.handed_in, self._home, reviewer, (VERDICT,), largest=LARGEST_VERDICT
        )
        data = found.data.get(VERDICT)
        return None if data is None else read_verdict(data.decode("utf-8", "replace"))

    def landing(self, quest: Quest) -> LandingRequest:
        """How its work is to land."""
        goal = _goal(quest)
        message = commit_message(goal.title, goal.brief)
        key, remote = _key(quest, "land"), _remote(quest)
        queue = _queue(quest)
        return LandingRequest(
            quest.id,
            goal.into or "",
            message,
            goal.verify,
            key,
            remote,
            goal.allow_empty,
            queue.met,
            queue.allowed,
            queue.denied,
            shared_folder.shown_state(quest),
            passed_state(quest),
            quest.check,
        )


def commit_message(title: str, brief: str) -> str:
    """Return the message of the commit with which a quest lands: it harms no terminal, and its subject is short.

    Args:
        title: Of the quest, in one line.
        brief: Its first paragraph is the body.
    """
    whole = display_safe(title)
    subject = cut(whole, SUBJECT_CELLS)
    first = brief.strip().partition("\n\n")[0].strip()
    body = "\n".join(display_safe(line.expandtabs()) for line in first.splitlines())
    return "\n\n".join(filter(None, (subject, whole if subject != whole else "", body))) + "\n"


def _remote(quest: Quest) -> RemoteTarget | None:
    """Where the branch is on which it is to land; None: here."""
    post = _queue(quest).post
    return None if post is None or post.remote is None else RemoteTarget(post.remote, post.id, post.commit or "")


def _review_text(quest: Quest, changes: ShownChanges) -> str:
    """The changes as a reviewing provider reads them; "" where there are none."""
    lines = shared_folder.review_lines(quest, changes)
    return "\n".join([*lines, "", changes.text]) if changes.text and lines else changes.text


def _of_post(post: SwarmPost, slug: str, brought: Mapping[str, bytes]) -> SpecInput:
    """What an attempt gets of a spec of another home: that has sent it."""

    def below(folder: str) -> dict[str, bytes]:
        inside = f"{folder}/"
        return {path.removeprefix(inside): data for path, data in brought.items() if path.startswith(inside)}

    documents, partial = below(briefing.SPEC), below(briefing.PARTIAL)
    return SpecInput(slug, post.phase, post.task, documents, partial, brought.get(briefing.SCHEMA))


def _spec_names(spec: SpecInput | None) -> dict[str, str | None]:
    return {} if spec is None else {"spec": spec.spec, "phase": spec.phase, "task": spec.task}


def read_verdict(text: str) -> Verdict | None:
    """What a reviewing provider has decided; None for what is no verdict."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("pass"), bool):
        return None
    feedback = found.get("feedback", "")
    return Verdict(found["pass"], feedback if isinstance(feedback, str) else "")


def _key(quest: Quest, kind: str) -> str:
    """The request key of what is begun for the newest attempt beside its work."""
    return f"quest:{quest.id}:{kind}:{len(_queue(quest).tries)}"


def _goal(quest: Quest) -> Goal:
    assert quest.goal is not None
    return quest.goal


def _queue(quest: Quest) -> QueueState:
    assert quest.queue is not None
    return quest.queue
