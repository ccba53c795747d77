"""Creating specs: a folder with a brief in the repository and a record in the store; both or neither."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.replacing import replace
from overmind_core.domain.specs.spec import (
    DEFAULT_GATES,
    PHASES,
    THRESHOLD,
    Gate,
    GateError,
    Spec,
    parse_gates,
)
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.slug import slug_of
from overmind_core.errors import OvermindError
from overmind_core.git.ignored import hiding_rule
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.worktrees import exclude
from overmind_core.kernel.database import StoreError
from overmind_core.missions import validate
from overmind_core.quests import intake
from overmind_core.quests.requests import NewQuest
from overmind_core.spec_files.documents import BRIEF, spec_folder, top_of
from overmind_core.specs import documents
from overmind_core.specs.quest_maker import SpecAgent
from overmind_core.specs.registry import MOST_SPECS

if TYPE_CHECKING:
    from overmind_core.isolation.projects import Inspected, Projects
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.specs.looking import SpecLooks
    from overmind_core.specs.quest_maker import QuestMaker
    from overmind_core.specs.registry import SpecRegistry
    from overmind_core.specs.requests import SpecNew
    from overmind_core.system.machine import Clock

_ID = 4
"""Random bytes of an id."""
_OF_START = (
    "command", "columns", "rows", "provider", "agent", "backoff", "activity_timeout", "grace", "stop_signal", "timeout",
    "interactive", "tty", "leave_background", "stall_waiting", "max_children", "max_depth", "labels", "notes",
    "env_set",
)  # fmt: skip
"""Fields of `run` that apply to each quest of a spec."""


class Created(NamedTuple):
    """A new spec."""

    spec: Spec
    hidden_by: str | None
    """The line of an ignore file that hides it from git: `.gitignore:3: .overmind/`."""


class SpecCreation:
    """Creates specs. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        quests: QuestRegistry,
        missions: Registry,
        maker: QuestMaker,
        looks: SpecLooks,
        projects: Projects,
        journal: Journal,
        clock: Clock,
        home: str,
    ) -> None:
        """`home`: the daemon's home folder, for the programs that git runs."""
        self._registry = registry
        self._quests = quests
        self._missions = missions
        self._maker = maker
        self._looks = looks
        self._projects = projects
        self._journal = journal
        self._clock = clock
        self._home = home
        self._turn = asyncio.Lock()

    async def create(self, request: SpecNew) -> Created:
        """Create a spec; a repeat with the same request key returns the same spec.

        Raises:
            OvermindError: the request is wrong, as the message says; nothing was created.
        """
        async with self._turn:  # slugs are unique in all repositories, and the same request may be repeated meanwhile
            return await self._create(request)

    async def _create(self, request: SpecNew) -> Created:
        known = self._registry.all.values()
        earlier = next((one for one in known if request.request and one.request == request.request), None)
        if earlier is not None:
            return Created(earlier, None)
        if sum(not one.archived for one in known) >= MOST_SPECS:
            message = f"There can be up to {MOST_SPECS} specs. Archive one: overmind spec archive NAME"
            raise OvermindError("too_large", message)
        agent = agent_of(request)
        if request.folder is not None:
            return await self._adopt(request, agent, request.folder)
        title = intake.checked_title(request.title)
        text = intake.checked_brief(request.brief or "")
        looked = await self._projects.inspect(request.cwd, request.env)
        spec = self._spec(request, title, looked)
        await self._maker.check(replace(spec, slug=self._free_slug(spec, title, (), looked.source)), agent, request.env)
        made = await self._with_folder(spec, looked, f"# {title}\n\n{text}".rstrip() + "\n")
        try:
            await self._save(made, agent, request)
        except StoreError:
            await asyncio.to_thread(documents.remove_folder, from_wire(made.folder))
            raise
        return Created(made, await asyncio.to_thread(self._hidden_by, made, looked, request.env))

    async def _adopt(self, request: SpecNew, agent: SpecAgent, given: str) -> Created:
        """Record the documents of an existing folder: a phase whose document passes needs no agent."""
        folder, top = await asyncio.to_thread(_folder_given, request.cwd, given)
        same = next((one for one in self._registry.all.values() if from_wire(one.folder) == folder), None)
        if same is not None:
            raise OvermindError("name_taken", f"{to_wire(folder)} is spec {same.slug} already.", id=same.id)
        looked = await self._projects.inspect(to_wire(top), request.env)
        name = to_wire(os.path.basename(folder))
        bare = self._spec(request, "", looked)
        spec = replace(bare, folder=to_wire(folder), slug=self._free_slug(bare, name, ()))
        problem = await asyncio.to_thread(documents.folder_problem, spec)
        if problem is not None and problem.code != "not_found":
            raise OvermindError(problem.code, problem.text)
        text = await asyncio.to_thread(documents.brief, spec)
        if text and request.brief:
            raise OvermindError("invalid", f"{to_wire(folder)} has a {BRIEF} already: omit --brief.")
        title = request.title or await asyncio.to_thread(documents.title_of, spec, text) or name
        spec = replace(spec, title=intake.checked_title(title))
        await self._maker.check(spec, agent, request.env)
        if not text:
            brief = f"# {spec.title}\n\n{intake.checked_brief(request.brief or '')}".rstrip() + "\n"
            await self._write_brief(folder, brief)
        await self._save(spec, agent, request)
        await self._looks.settle(spec)
        for phase in PHASES:  # a document that does not pass is written again by an agent
            if faults := self._registry.phase(spec.id, phase).faults:
                self._registry.change_phase(spec.id, phase, faults=(), adopted_faults=faults)
        await self._journal.saved()
        return Created(self._registry.all[spec.id], await asyncio.to_thread(self._hidden_by, spec, looked, request.env))

    async def _write_brief(self, folder: str, text: str) -> None:
        try:
            await asyncio.to_thread(documents.write_file, folder, BRIEF, text.encode("utf-8", "replace"))
        except OSError as error:
            raise documents.unwritable(folder, error) from None

    def _spec(self, request: SpecNew, title: str, looked: Inspected) -> Spec:
        repository = looked.repository
        branch = None if repository is None else repository.branch
        base = request.base or (None if branch is None else to_wire(branch))
        if request.verify is not None and not request.verify.strip():
            intake.checked_verify(request.verify, base)
        return Spec(
            id=self._new_id(),
            slug="",
            title=title,
            folder=to_wire(spec_folder(looked.source, "_")),
            created_at=self._clock.wall(),
            repository=None if repository is None else to_wire(looked.source),
            base=None if repository is None else base,
            gates=checked_gates(request.gates, DEFAULT_GATES),
            threshold=THRESHOLD if request.threshold is None else request.threshold,
            verify=request.verify,
            max_cost_usd=request.max_cost,
            priority=intake.checked_priority(request.priority),
            retries=validate.checked_retries(request.retries),
            allow=tuple(request.allow),
            deny=tuple(request.deny),
            request=request.request,
        )

    async def _with_folder(self, spec: Spec, looked: Inspected, text: str) -> Spec:
        """Make the folder, under the first slug that is free."""
        top = looked.source
        refused: set[str] = set()
        while True:
            slug = self._free_slug(spec, spec.title, refused, top)
            folder = spec_folder(top, slug)
            try:
                await asyncio.to_thread(documents.make_folder, folder, text)
            except FileExistsError:
                refused.add(slug)
                continue
            return replace(spec, slug=slug, folder=to_wire(folder))

    def _free_slug(self, spec: Spec, title: str, refused: set[str] | tuple[()], top: str | None = None) -> str:
        def taken(slug: str) -> bool:
            is_there = top is not None and os.path.lexists(spec_folder(top, slug))
            return slug in refused or is_there or self._registry.named(slug) is not None

        return slug_of(title, taken, unnamed=f"spec-{spec.id}")

    async def _save(self, spec: Spec, agent: SpecAgent, request: SpecNew) -> None:
        changes = self._registry.add(spec, ())
        environment = dict(request.env)
        changes.append(self._journal.save(lambda: self._maker.save_agent(spec.id, agent, environment)))
        try:
            await self._journal.saved()
        except StoreError:
            self._journal.withdraw(changes)
            self._registry.forget(spec)
            raise

    def _hidden_by(self, spec: Spec, looked: Inspected, env: dict[str, str]) -> str | None:
        """The ignore rule that hides the folder from git, after removing one that an earlier version wrote. Blocks."""
        if looked.repository is None:
            return None
        with suppress(GitFailed):
            exclude(looked.repository.common)
        known = {from_wire(name): from_wire(value) for name, value in env.items()}
        git = Git(known if "PATH" in known else {**os.environ, **known}, home=self._home)
        inside = os.path.relpath(os.path.join(from_wire(spec.folder), BRIEF), looked.source)
        rule = hiding_rule(git, looked.source, inside)
        return None if rule is None else to_wire(rule.text)

    def _new_id(self) -> str:
        while True:
            fresh = os.urandom(_ID).hex()
            known = fresh in self._registry.all or self._missions.knows(fresh) or self._quests.get(fresh) is not None
            if not known and not fresh.isdigit():
                return fresh


def agent_of(request: SpecNew) -> SpecAgent:
    """The agent and the environment of a new spec's quests."""
    start = NewQuest(title="spec", **{name: getattr(request, name) for name in _OF_START})
    return SpecAgent(start, request.umask, intake.environment_owner(request.env))


def _folder_given(cwd: str, given: str) -> tuple[str, str]:
    """The folder of documents that was given, and the top of its repository. Blocks.

    Raises:
        OvermindError: `not_found`.
    """
    folder = os.path.realpath(os.path.join(from_wire(cwd), from_wire(given)))
    top = top_of(folder)
    if not os.path.isdir(folder):
        raise OvermindError("not_found", f"There is no folder {to_wire(folder)}.")
    if top is None:
        raise OvermindError("not_found", f"Specs are in .overmind/specs/ of a repository, not in {to_wire(folder)}.")
    return folder, top


def checked_gates(text: str | None, otherwise: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """The gates that a text names.

    Raises:
        OvermindError: `invalid`.
    """
    if text is None:
        return otherwise
    try:
        return parse_gates(text)
    except GateError as error:
        raise OvermindError("invalid", str(error) if str(error).endswith("?") else f"{error}.") from None
