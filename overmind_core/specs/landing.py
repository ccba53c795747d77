"""Landing specs whose tasks are done: a person sees a preview, then the branch is merged into the base."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.events import About, AboutKind
from overmind_core.domain.landing import VERIFY, VERIFY_LIMIT
from overmind_core.domain.missions.reasons import not_owned_text
from overmind_core.domain.quests.quest import LandedWork
from overmind_core.domain.specs.spec import PhaseName, quest_name
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.missions.spec import Environment
from overmind_core.missions.validate import seconds
from overmind_core.spec_files.repository import hashes_of
from overmind_core.specs import documents
from overmind_core.specs.gates import counted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from overmind_core.agents.engine_questions import EngineQuestions
    from overmind_core.domain.specs.spec import Spec
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.landing.answer_types import MergeItem, MergeResult
    from overmind_core.landing.locations import Locations, WorkLocation
    from overmind_core.landing.quest_landing import QuestLanding
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.specs.quest_maker import QuestMaker
    from overmind_core.specs.registry import SpecRegistry

WHY = "all tasks of the spec have passed"
SHOWN_FILES = 50
"""Most files that a question lists."""
MOST_FILES = 1000
"""Most files of one landing that are watched for drift."""
DISK_FULL, DIRTY = "disk_full", "dirty"
ROOM_SECONDS, LOOK_SECONDS = 30.0, 2.0
"""Pause before a spec lands again for which the disk had no room; before its target is looked at."""
AGAIN = {
    DISK_FULL: "It is tried again by itself until there is room.",
    DIRTY: "It lands by itself once that is out of the way.",
}
"""Code of a refusal that goes away → the line about it."""
_log = logging.getLogger(__name__)


class SpecLanding:
    """Lands specs. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        quests: QuestRegistry,
        maker: QuestMaker,
        questions: EngineQuestions,
        landing: QuestLanding,
        locations: Locations,
        phase: Phase,
        tasks: Tasks,
    ) -> None:
        self._registry = registry
        self._quests = quests
        self._maker = maker
        self._questions = questions
        self._landing = landing
        self._locations = locations
        self._phase = phase
        self._tasks = tasks
        self._later: set[str] = set()
        """Specs that are to land again once they may."""
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._moving: set[str] = set()
        """Those of them whose base is being moved: nobody breaks that off."""
        self.on_end: Callable[[str], None] = lambda _spec: None
        """Called with the id of a spec once its landing has ended, well or not."""
        self.again: Callable[[Spec], Awaitable[None]]
        """Called with a spec whose landing may be tried again: starts it, if it waits and all of it is done still."""

    async def ask(self, spec: Spec) -> None:
        """Show a person what would land, and ask; no branch moves. Without room on the disk it is tried again."""
        try:
            found = await self._merge(spec, preview=True)
        except OvermindError as error:
            if self._is_answered(spec):
                return
            if error.code == "nothing_to_merge":
                self._withdraw_refusal(spec)
                self._registry.change(spec.id, landed=LandedWork(spec.base or "", "", ""), question=None)
            else:
                self._ask_about(spec, error, preview=True)
                self.land_later(self._registry.all[spec.id])
            return
        if self._is_answered(spec):
            return
        self._withdraw_refusal(spec)
        self._show(spec, found)

    async def check_shown(self, spec: Spec, tip: str | None) -> None:
        """See that its branch is as it was shown to the person who is about to let it land; else show it again.

        Raises:
            OvermindError: `changed`, it is not.
        """
        if tip is None:
            return
        try:
            found = await self._merge(spec, preview=True)
        except OvermindError as error:
            _log.info("spec %s: its landing will say what is in the way: %s", spec.slug, error.message)
            return
        if _tip(found) == tip or self._is_answered(spec):
            return
        self._questions.withdraw(spec.id, EngineNeed.MERGE)
        changed = _changed_sentence(spec)
        self._show(spec, found, changed)
        raise OvermindError("changed", f"{changed} It is shown again: overmind inbox")

    def _show(self, spec: Spec, found: MergeResult, changed: str = "") -> None:
        """Ask whether what a preview has found is to land; `changed`: a sentence about what was shown before."""
        files = [one["path"] for one in found["files"]]
        more = len(files) - SHOWN_FILES
        subject: dict[str, Any] = {
            "branch": spec.branch,
            "tip": _tip(found),
            "target": found["target"],
            "commits": len(found["commits"]),
            "files": len(files),
            "lines": [
                *([changed] if changed else []),
                f"{counted(len(found['commits']), 'commit')}, {counted(len(files), 'file')}, no conflict",
                *(one["subject"] for one in found["commits"][:SHOWN_FILES]),
                *files[:SHOWN_FILES],
                *([f"and {more} more"] if more > 0 else []),
                *self._not_owned(spec),
                f"{spec.branch} stays afterwards. Commit the documents yourself: {spec.folder}",
            ],
        }
        self._put_question(spec, f"Land {spec.branch} on {found['target']}", subject)

    def _not_owned(self, spec: Spec) -> list[str]:
        """The lines about tasks that have changed files which they do not own."""
        tasks = self._registry.phase(spec.id, PhaseName.SYNC).tasks.values()
        found = [quest for one in tasks if (quest := self._quests.get(one.quest)) is not None]
        strange = [(one.name, one.queue.landed) for one in found if one.queue is not None]
        return [
            f"{name} changed {not_owned_text(landed.not_owned)}"
            for name, landed in strange
            if landed is not None and landed.not_owned
        ]

    def _is_answered(self, spec: Spec) -> bool:
        """Whether a person has answered meanwhile, or more of it is wanted, or it is gone or archived."""
        current = self._registry.all.get(spec.id)
        if current is None or current.archived:
            return True
        return (current.question, current.landings) != (spec.question, spec.landings)

    def _withdraw_refusal(self, spec: Spec) -> None:
        """Take back that there was no room for the preview."""
        if spec.question is not None:
            self._questions.withdraw(spec.id, EngineNeed.MERGE)

    def start(self, spec: Spec) -> None:
        """Land a spec in a task of its own; a landing that an earlier daemon had begun is started again."""
        if spec.id not in self._under_way and not (self._phase.closing or self._phase.handing_over):
            task = self._under_way[spec.id] = self._tasks.start(self._land(self._registry.all[spec.id]))
            task.add_done_callback(partial(self._on_done, spec.id))

    def _on_done(self, spec_id: str, task: asyncio.Task[None]) -> None:
        """A landing has ended, or was broken off before it had begun."""
        del self._under_way[spec_id]
        self._moving.discard(spec_id)
        if not task.cancelled() and task.exception() is None:
            self.on_end(spec_id)

    def break_off(self, spec: Spec) -> None:
        """End the landing that is under way, if there is one: a person denies it.

        Raises:
            OvermindError: `busy`, its base is being moved already.
        """
        task = self._under_way.get(spec.id)
        if task is None:
            return
        if spec.id in self._moving:
            message = f"{spec.branch} is being merged into {spec.base} right now: it is too late to deny that."
            raise OvermindError("busy", message)
        task.add_done_callback(lambda _task: self.on_end(spec.id))  # it may be wanted again by then
        task.cancel()

    def land_later(self, spec: Spec) -> None:
        """Where its landing or preview was refused for what goes away, try that again once it may have."""
        if self._waits(spec) and spec.id not in self._later:
            self._later.add(spec.id)
            self._tasks.start(self._land_later(spec))

    async def _land_later(self, spec: Spec) -> None:
        try:
            await asyncio.sleep(ROOM_SECONDS if self._asked(spec)["code"] == DISK_FULL else LOOK_SECONDS)
            if self._asked(spec).get("code") == DIRTY:
                await self._until_free(spec)
        finally:
            self._later.discard(spec.id)
        current = self._registry.all.get(spec.id)
        if current is None or current.archived or self._phase.closing or not self._waits(current):
            return
        if self._asked(current).get("preview"):
            await self.ask(current)
        else:
            await self.again(current)

    def call_off(self, spec: Spec) -> None:
        """Take back that it is to land, and the question whether it does: more is wanted of it.

        A landing that is under way goes on: it is of what was done then.
        """
        if spec.id in self._under_way or not (spec.landing or spec.question is not None):
            return
        self._questions.withdraw(spec.id, EngineNeed.MERGE)
        self._registry.change(spec.id, landing=False, question=None, tip=None)

    async def _until_free(self, spec: Spec) -> None:
        """Wait until the checkout of its base is out of the way; where nobody can tell, a while."""

        def look(_error: OvermindError) -> None:
            current = self._registry.all.get(spec.id)
            if current is None or current.question != spec.question:
                raise OvermindError("gone", "It does not wait any more.")

        try:
            await self._landing.until_branch_free(
                await self._place(spec, self._environment(spec)), spec.base or "", look
            )
        except OvermindError as error:
            _log.info("spec %s: nobody can tell what is in its way: %s", spec.slug, error.message)
            await asyncio.sleep(ROOM_SECONDS)

    def _waits(self, spec: Spec) -> bool:
        return self._asked(spec).get("code") in AGAIN

    def _asked(self, spec: Spec) -> Mapping[str, Any]:
        """What the open question of a spec is about."""
        question = None if spec.question is None else self._questions.get(spec.question)
        return {} if question is None else question.subject

    async def ended(self, spec_id: str) -> None:
        """Wait until a landing that is under way has ended."""
        task = self._under_way.get(spec_id)
        if task is not None:
            await asyncio.wait([task])

    async def _land(self, spec: Spec) -> None:
        try:
            landed, paths = await self._landed(spec)
            files = await asyncio.to_thread(hashes_of, documents.top_of(spec), paths[:MOST_FILES])
        except StoreError as error:
            _log.info("spec %s: landing again later: %s", spec.slug, error)
        except OvermindError as error:
            self._not_landed(spec, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, a person is asked about it
            _log.exception("spec %s could not land", spec.slug)
            self._not_landed(spec, OvermindError("internal", f"{type(error).__name__}: {error}. See daemon.log"))
        else:
            known = self._registry.phase(spec.id, PhaseName.SYNC).files
            self._registry.change_phase(spec.id, PhaseName.SYNC, files={**known, **files})
            if not self._is_outdated(spec):
                self._questions.withdraw(spec.id, EngineNeed.MERGE)
                after = {"landed": landed, "question": None, "tip": None, "landings": spec.landings + 1}
                self._registry.change(spec.id, landing=False, **after)

    def _not_landed(self, spec: Spec, error: OvermindError) -> None:
        if self._phase.closing or self._is_outdated(spec):
            return
        if error.code == "changed":  # it is shown again, as it goes on now
            self._questions.withdraw(spec.id, EngineNeed.MERGE)
            self._registry.change(spec.id, landing=False, question=None, tip=None, landings=spec.landings + 1)
            return
        changed = self._registry.change(spec.id, landing=False, landings=spec.landings + 1)
        if not changed.archived:  # taken back, it is asked about again
            self._ask_about(changed, error)

    def _is_outdated(self, spec: Spec) -> bool:
        """Whether more of it is wanted since its landing began: that was not all of it, and it lands once more."""
        return self._registry.all[spec.id].landings != spec.landings

    async def _landed(self, spec: Spec) -> tuple[LandedWork, list[str]]:
        """Merge the branch; return the commits before and after, and the changed files."""
        try:
            done = await self._merge(spec, preview=False)
        except OvermindError as error:
            if error.code == "nothing_to_merge":
                return LandedWork(spec.base or "", "", ""), []
            raise
        return LandedWork(done["target"], done["before"], done["after"] or ""), [one["path"] for one in done["files"]]

    async def _merge(self, spec: Spec, *, preview: bool) -> MergeResult:
        from overmind_core.landing.preview import MergeCheck, MergeRequest  # noqa: PLC0415 - git is for those who land

        environment = self._environment(spec)
        place = await self._place(spec, environment)
        request = MergeRequest(
            into=from_wire(spec.base or ""),
            verify=None if spec.verify is None or preview else from_wire(spec.verify),
            verify_timeout=seconds(VERIFY_LIMIT, "--verify-timeout"),
            preview=preview,
            request=None if preview else f"spec:{spec.id}:land:{spec.landings}",
            why=None if preview else WHY,
            check=MergeCheck(quest_name(spec.slug, VERIFY), None, {}, environment),
            tip=None if preview else spec.tip,
        )
        return await self._landing.land_branch(place, request, None if preview else partial(self._on_step, spec.id))

    def _on_step(self, spec_id: str, item: MergeItem) -> None:
        """Note whether the base is moved next."""
        (self._moving.add if item.get("step") == "landing" else self._moving.discard)(spec_id)

    def _environment(self, spec: Spec) -> Environment:
        return Environment(self._maker.environment(self._maker.agent(spec)), {})

    async def _place(self, spec: Spec, environment: Environment) -> WorkLocation:
        return await self._locations.branch(
            spec.id,
            spec.slug,
            source=spec.repository or "",
            branch=spec.branch or "",
            environment=environment,
        )

    def _ask_about(self, spec: Spec, error: OvermindError, *, preview: bool = False) -> None:
        """Ask a person about a spec that can't land; `preview`: nobody has been asked whether it is to."""
        summary = f"{spec.slug} can't land on {spec.base}: {error.message}"
        again = [AGAIN[error.code]] if error.code in AGAIN else []
        subject = {"code": error.code, "lines": [error.message, *again], **({"preview": True} if preview else {})}
        self._put_question(spec, summary, subject)

    def _put_question(self, spec: Spec, summary: str, subject: dict[str, Any]) -> None:
        """Ask that; what is open already says it now, and makes room where something else is in the way."""
        earlier = self._questions.find(spec.id, EngineNeed.MERGE, "")
        if earlier is not None and earlier.subject.get("code") != subject.get("code"):
            self._questions.withdraw(spec.id, EngineNeed.MERGE)
        elif earlier is not None and earlier.subject != subject:
            self._questions.reword(earlier.number, summary=summary, subject=subject)
        number = self._questions.ask(EngineNeed.MERGE, about(spec), summary=summary, subject=subject)
        self._registry.change(spec.id, question=number)


def _tip(found: MergeResult) -> str:
    """The commit of a branch of which a preview was made."""
    return found["commits"][0]["hash"]


def _changed_sentence(spec: Spec) -> str:
    return f"{spec.branch} was committed to since it was shown."


def about(spec: Spec) -> About:
    """The subject of a question about a spec."""
    return About(AboutKind.SPEC, spec.id, spec.slug)
