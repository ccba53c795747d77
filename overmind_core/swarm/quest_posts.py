"""The quests of a swarm's posts at this hive: each an ordinary quest of its queue, added once for its fence."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.environment import login_variables
from overmind_core.domain.missions.lost import KEEPER_LOST
from overmind_core.domain.quests.briefing import NEEDS
from overmind_core.domain.quests.classes import is_of_the_work
from overmind_core.domain.quests.quest import QuestStatus, SwarmPost
from overmind_core.domain.sent_work import KEY_RANDOM, new_key, repository_name, sent_branch
from overmind_core.domain.swarm.leases import deadline_of
from overmind_core.domain.swarm.masks import masked
from overmind_core.domain.swarm.quest_post import Source, read
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git import remote, remote_files
from overmind_core.git.home_repositories import HomeRepository
from overmind_core.git.repository import HEADS
from overmind_core.git.run import Git, GitFailed, GitMissing
from overmind_core.kernel.database import StoreError
from overmind_core.quests import input_folder
from overmind_core.quests.attempt_work import LARGEST_OUTPUT, LARGEST_RESULT
from overmind_core.quests.intake import QuestOrigin
from overmind_core.quests.requests import NewQuest, QuestAdd
from overmind_core.swarm.runs import FENCED, request_key, tail_of
from overmind_core.swarm.store import HeldClaim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from overmind_core.agents.results import MissionResults
    from overmind_core.domain.quests.quest import Quest, QueueState
    from overmind_core.missions.leases import Leases
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.quests.attempts import Attempts
    from overmind_core.quests.queue_changes import QueueChanges
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.swarm.answers import Claimed
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.run_secrets import RunSecrets
    from overmind_core.swarm.store import SwarmStore
    from overmind_core.swarm.works import Sent
    from overmind_core.system.paths import Home

OWNER = "swarm"
"""Of the repositories that are fetched for posts."""
RESULT = "result.md"
"""The file with the final answer, among those that are handed on."""
_OWN_ENDS = frozenset({QuestStatus.COMPLETED, QuestStatus.FAILED})
"""How a quest ends by itself; one that is fenced is cancelled."""
_STATES = {QuestStatus.COMPLETED: "done", QuestStatus.CANCELLED: "cancelled", QuestStatus.FAILED: "failed"}


class QuestPosts:
    """Adds, ends and describes them. On the loop's thread."""

    def __init__(
        self,
        *,
        home: Home,
        registry: Registry,
        missions: Missions,
        leases: Leases,
        quests: QuestRegistry,
        attempts: Attempts,
        changes: Callable[[], QueueChanges],
        results: MissionResults,
        store: SwarmStore,
        secrets: RunSecrets,
        line: SwarmLine,
    ) -> None:
        self._home = home
        self._account = os.path.expanduser("~")
        self._registry = registry
        self._missions = missions
        self._leases = leases
        self._quests = quests
        self._attempts = attempts
        self._changes = changes
        self._results = results
        self._store = store
        self._secrets = secrets
        self._line = line

    async def start(self, held: HeldClaim, sent: Sent) -> None:
        """Add the quest of a claim, or find the one that an earlier try has added; its work may have landed already.

        Raises:
            OvermindError: it can't be done here.
        """
        claim = held.claim
        try:
            posted = read(msgspec.json.decode(claim.definition))
        except ValueError as error:
            raise OvermindError("invalid", f"Post {claim.id} is no quest: {error}.") from None
        held = await self._secrets.fetch(held, self._line)
        into = posted.fields.get("into") or None
        folder, base = self._account, None
        if posted.source is not None:
            repository = self._repository(posted.source)
            commit = await asyncio.to_thread(_fetched, self._git(), repository, posted.source, into)
            landed = await asyncio.to_thread(self._landed, repository, posted.source, into, claim.id)
            if landed is not None:
                sent()
                self._store.save_claim(msgspec.structs.replace(held, end=_landed_end(landed)))
                return
            await asyncio.to_thread(repository.check_out, commit)
            base = await asyncio.to_thread(self._branch_at, repository, commit, into)
            folder = os.path.join(repository.checkout, posted.source.inside).rstrip("/")
        inputs = await self._inputs(claim) if posted.has_needs else {}
        if posted.brought is not None and posted.source is not None:
            repository = self._repository(posted.source)
            inputs |= await asyncio.to_thread(_brought, self._git(), repository, posted.source, posted.brought)
        prefix = "" if posted.part is None else f"{posted.part.spec}/"
        request = self._request(claim, posted.fields, folder, base, prefix=prefix)
        post = SwarmPost(
            claim.id,
            None if posted.source is None else to_wire(posted.source.remote),
            None if posted.source is None else posted.source.commit,
            *(() if posted.part is None else (posted.part.spec, posted.part.phase, posted.part.task)),
        )

        begun: list[str] = []

        def prepare(quest: str) -> None:
            input_folder.bring(self._home, quest, inputs)

        def link(quest: str) -> Callable[[], None]:
            moment = sent()
            begun.append(quest)
            if claim.on_lost == "move":
                self._leases.hold(quest, deadline_of(moment, claim.lease))
            linked = msgspec.structs.replace(held, mission=quest)
            return lambda: self._store.write_claim(linked)

        try:
            quest = await self._changes().add_post(
                request,
                post,
                origin=QuestOrigin(prefix, feedback=posted.feedback),
                prepare=prepare if inputs else None,
                link=link,
            )
        except (OvermindError, StoreError):
            self._leases.release(begun)  # nothing was added
            raise
        linked = msgspec.structs.replace(held, mission=quest)
        if begun:
            self._store.put(linked)  # that was saved with the quest
        else:  # an earlier try has added it
            link(quest)
            self._store.save_claim(linked)

    def _request(
        self, claim: Claimed, fields: Mapping[str, Any], folder: str, base: str | None, *, prefix: str
    ) -> QuestAdd:
        name = claim.name if not self._changes().is_taken(claim.name) else f"{claim.name}-{claim.id}"
        given = {**fields, "name": name.removeprefix(prefix), "cwd": to_wire(folder)}
        if base is not None:
            given |= {"isolate": True, "base": to_wire(base)}
        variables = {to_wire(key): to_wire(value) for key, value in login_variables(os.environ).items()}
        try:
            new = msgspec.convert(given, NewQuest)
        except msgspec.ValidationError as error:
            raise OvermindError("invalid", f"Post {claim.id} can't be done here: {error}.") from None
        return QuestAdd([new], cwd=to_wire(folder), env=variables, request=request_key(claim))

    async def _inputs(self, claim: Claimed) -> dict[str, bytes]:
        """What its needs have handed on, by path in the folder that its attempts read."""
        session = self._store.session
        assert session is not None
        found = await self._line.ask(lambda swarm: swarm.inputs(session.id, claim.id, claim.fence))
        return {f"{NEEDS}/{need}/{name}": body for _, need, name, body in found}

    # the code

    def _repository(self, source: Source) -> HomeRepository:
        place = source.remote.rstrip("/").rpartition("/")[2].removesuffix(".git")
        kind = "sha256" if len(source.commit) > 40 else "sha1"  # noqa: PLR2004 - digits of a hash of git's
        wish = {"repository": repository_name(place, OWNER, source.remote), "format": kind}
        return HomeRepository(self._home, wish)

    def _git(self) -> Git:
        return Git(login_variables(os.environ), OWNER, home=self._home.root)

    def _branch_at(self, repository: HomeRepository, commit: str, into: str | None) -> str:
        """Make the branch at which the work begins, as for work that is sent here; it goes with that."""
        sent = sent_branch(new_key(time.time(), os.urandom(KEY_RANDOM)), None if into is None else from_wire(into))
        try:
            self._git()(repository.bare, "update-ref", HEADS + sent, commit)
        except GitFailed as error:
            raise _refused(error) from None
        return sent

    def _landed(self, repository: HomeRepository, source: Source, into: str | None, post: str) -> str | None:
        """The commit of the remote that has landed the work of a post; None: none has."""
        if into is None:
            return None
        try:
            return remote.landed(self._git(), repository.bare, from_wire(into), post, since=source.commit)
        except GitFailed as error:
            raise _refused(error) from None

    # how it goes

    def quest_of(self, held: HeldClaim) -> Quest | None:
        """Return the quest of a claim; None: there is none, or it was removed."""
        return None if held.mission is None else self._quests.get(held.mission)

    async def end(self, held: HeldClaim) -> None:
        """End what a claim has begun: it is somebody else's, or nobody wants it any more."""
        quest = self.quest_of(held) or self._changes().made_by(request_key(held.claim), post=held.claim.id)
        if quest is None or quest.is_over:
            return
        self._cancel(quest)
        work = self._registry.live.get(quest.id)
        if work is not None:
            await self._missions.end_here(work)
        await self._quests.end_of(quest.id)

    async def cancel(self, held: HeldClaim) -> None:
        """Have it end: nobody wants it any more. What it does with git just now may take minutes: the hive goes on."""
        quest = self.quest_of(held)
        if quest is not None and not quest.is_over:
            self._cancel(quest)

    def _cancel(self, quest: Quest) -> None:
        """Ask for its end once: to ask again while it lands would leave what git does there to itself."""
        if not quest.cancelling:
            self._attempts.cancel(quest)

    def report(self, held: HeldClaim) -> dict[str, Any] | None:
        """Return what the swarm is told of a claim that goes on; None: nothing is known of it yet."""
        quest = self.quest_of(held)
        if quest is None or quest.queue is None:
            return None
        queue = quest.queue
        report: dict[str, Any] = {"status": quest.status.value, "attempt": len(queue.tries), **_figures(queue)}
        return report | ({"phase": queue.phase.value} if quest.status is not QuestStatus.QUEUED else {"phase": ""})

    def end_of(self, held: HeldClaim, *, cancelling: bool) -> dict[str, Any] | None:
        """Return what the swarm is told of the end of a claim's quest; None: it goes on, or was fenced."""
        if held.mission is None:
            return None
        quest = self.quest_of(held)
        if quest is None:
            return {"state": "failed", "reason": "its quest was removed"}
        if not quest.is_over or quest.queue is None or self.is_fenced(held):
            return None
        state = "cancelled" if cancelling and quest.status is not QuestStatus.COMPLETED else _STATES[quest.status]
        queue, work = quest.queue, self._registry.get(quest.id)
        landed = queue.landed
        behind = quest.status is QuestStatus.FAILED and not is_of_the_work(queue.failure)
        then = queue.feedback.encode("utf-8", "replace") if behind else b""
        return {
            **({} if work is None else {"tail": tail_of(self._home.logs, work, self._secrets.hidden(held), then)}),
            "state": state,
            "reason": quest.reason,
            "exit_code": quest.exit_code,
            "attempt": len(queue.tries),
            **_figures(queue),
            "result": {
                "quest": quest.id,
                "status": quest.status.value,
                "landed": None if landed is None else {"target": landed.branch, "commit": landed.after},
            },
        }

    def is_fenced(self, held: HeldClaim) -> bool:
        """Whether its lease has ended here, before its quest had."""
        quest = self.quest_of(held)
        if held.mission is None or (quest is not None and quest.status in _OWN_ENDS):
            return False
        work = self._registry.get(held.mission)
        return self._leases.is_over(held.mission) or (
            work is not None
            and not work.is_live
            and work.reason in {FENCED, KEEPER_LOST}
            and quest is not None
            and quest.is_over
        )

    async def outputs(self, held: HeldClaim) -> dict[str, bytes]:
        """Return the files of a completed quest, by name.

        Raises:
            OvermindError: `too_large`.
        """
        quest = self.quest_of(held)
        if quest is None or quest.goal is None:
            return {}
        collects = read(msgspec.json.decode(held.claim.definition)).collects
        outputs = quest.goal.outputs
        files: dict[str, bytes] = {}
        if collects:  # whoever judges them says what is too large: the beginning of that is enough to see it
            files |= await asyncio.to_thread(
                input_folder.beginnings_handed_in, self._home, quest.id, collects, most=LARGEST_OUTPUT
            )
        if outputs:
            found = await asyncio.to_thread(
                input_folder.handed_in, self._home, quest.id, outputs, largest=LARGEST_OUTPUT
            )
            files |= found.data
        mission = None if quest.provider == RAW else self._registry.get(quest.id)
        result = "" if mission is None else await self._results.result(mission)
        hidden = self._secrets.hidden(held)
        if result and hidden is not None:
            whole = masked(result.encode("utf-8", "replace"), hidden)
            files.setdefault(RESULT, whole[-LARGEST_RESULT:])
        return files

    async def handed_on(self, held: HeldClaim) -> dict[str, Any] | None:
        """A quest is none of a plan."""
        del held
        return None


def _fetched(git: Git, repository: HomeRepository, source: Source, into: str | None) -> str:
    """Have all of the remote's branches here; return the commit at which the work begins.

    Raises:
        OvermindError: `git_failed`, `not_pushed`: the remote can't be read here, or lacks what is needed.
    """
    repository.prepare(make=True)
    try:
        remote.fetch(git, repository.bare, source.remote)
        there = git.run(repository.bare, "cat-file", "-e", f"{source.commit}^{{commit}}", expected=(0, 1, 128)).code
        tip = None if into is None else remote.tip_of(git, repository.bare, from_wire(into))
    except GitFailed as error:
        raise OvermindError("git_failed", f"{source.remote} can't be fetched here: {to_wire(error.reason)}.") from None
    except GitMissing:
        raise OvermindError("git_failed", "git is not installed here.") from None
    if there:
        raise OvermindError("not_pushed", f"{source.commit[:7]} is not on {source.remote}.")
    if into is not None and tip is None:
        raise OvermindError("git_failed", f"There is no branch {into!r} on {source.remote} to land on.")
    return tip or source.commit


def _brought(git: Git, repository: HomeRepository, source: Source, commit: str) -> Mapping[str, bytes]:
    """What its attempts are given to read, which came with the code.

    Raises:
        OvermindError: `not_pushed`, the remote has no such commit; `invalid`, it has something else.
    """
    try:
        return remote_files.received(git, repository.bare, commit)
    except GitFailed:
        raise OvermindError("not_pushed", f"{commit[:7]} is not on {source.remote}.") from None
    except remote_files.UnfitFiles as error:
        raise OvermindError("invalid", f"It can't be given its inputs: {error}.") from None


def _refused(error: GitFailed) -> OvermindError:
    return OvermindError("git_failed", f"Git refused: {to_wire(error.reason)}.")


def _figures(queue: QueueState) -> dict[str, Any]:
    costs = [one.cost_usd for one in queue.tries if one.cost_usd is not None]
    return {"cost": sum(costs), "spent": queue.spent}


def _landed_end(commit: str) -> dict[str, Any]:
    """The end of a post whose work an earlier holder has landed in its last moment."""
    return {"state": "done", "reason": "landed", "exit_code": 0, "result": {"landed": {"commit": commit}}}
