"""The swarm in the daemon: nothing of it is loaded in a home that is in none, and has made none."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from overmind_core.domain.events import About
from overmind_core.domain.swarm.secrets import NAMES
from overmind_core.errors import OvermindError
from overmind_core.system.paths import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from overmind_core.agents.api_questions import QuestionApi
    from overmind_core.agents.results import MissionResults
    from overmind_core.domain.agents.events import QuestionAsked
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.database import Database, MetaTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.missions.leases import Leases
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.plans.outputs import AgentOutputs
    from overmind_core.probes.poll import Observer
    from overmind_core.quests.attempts import Attempts
    from overmind_core.quests.queue_changes import QueueChanges
    from overmind_core.quests.registry import QuestEnded, QuestRegistry
    from overmind_core.swarm.answers import Hello
    from overmind_core.swarm.generations import Conversations
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.membership import Machine
    from overmind_core.swarm.pool_settings import HomePools, Invitation
    from overmind_core.swarm.run_secrets import RunSecrets
    from overmind_core.swarm.service import SwarmService
    from overmind_core.swarm.store import HeldClaim, SwarmStore
    from overmind_core.swarm.vault import Vault
    from overmind_core.swarm.works import GenomeCheck
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

ASKED_AT_ONCE = 2
"""Things that requests ask the swarm at once: a long look holds up no other request."""
VIEWER = "viewer"
"""The role of a login that looks, and takes no part."""
NO_SWARM = "This hive is in no swarm. Join one with: overmind swarm join"


class SwarmParts(NamedTuple):
    """The parts of the daemon that a membership uses."""

    home: Home
    settings: Settings
    clock: Clock
    database: Database
    meta_table: MetaTable
    journal: Journal
    tasks: Tasks
    keeper: CurrentKeeper
    registry: Registry
    missions: Missions
    leases: Leases
    quests: QuestRegistry
    attempts: Attempts
    changes: Callable[[], QueueChanges]
    """Loads and makes what adds quests."""
    inbox: QuestionApi
    results: Callable[[], MissionResults]
    plan_outputs: Callable[[], AgentOutputs]
    observer: Observer
    agents: Conversations
    memory: WrittenNotes
    genomes: GenomeCheck
    followed: Callable[[], Sequence[str]]
    """What of this home waits for posts that it has made, each as a person calls it."""


class WrittenNotes(Protocol):
    """What is asked of memory."""

    async def written_texts(self, mission: Mission) -> Sequence[str]:
        """The texts of the notes that a mission has written."""


class SwarmHost:
    """Makes the parts of a membership when they are needed."""

    def __init__(self, parts: SwarmParts) -> None:
        self._parts = parts
        self._joining: str | None = None
        """The session that is begun, until that has succeeded: a swarm whose answer was lost knows it already."""
        self._service: SwarmService | None = None
        self._line: SwarmLine | None = None
        self._store: SwarmStore | None = None
        self._secrets: RunSecrets | None = None
        self._pools: HomePools | None = None

    def check_installed(self) -> None:
        """Load the database's client, and what seals secrets.

        Raises:
            OvermindError: `invalid`, one can't be loaded; with the command that installs it.
        """
        with _explained():
            import psycopg  # noqa: F401, PLC0415 - for those who become part of a swarm

            from overmind_core.swarm import sealing  # noqa: F401, PLC0415 - same

    def begin(self) -> None:
        """Go on in the swarm that this home is in, if it is in one.

        Raises:
            OvermindError: `invalid`, a package that this needs can't be loaded; with the command that installs it.
        """
        if self._parts.meta_table.get("swarm") is None:
            return
        url = _read(self._parts.home.swarm_url)
        if url is None:
            return
        with _explained():
            self._service = self._made(url)
        session = self.store.session
        self._parts.keeper.hold("swarm", on=session is not None and session.slots > 0)
        self._service.begin()

    def on_change(self, change: MissionChanged) -> None:
        """A mission has changed."""
        if self._service is not None:
            self._service.on_work(change.saved.id)

    def on_quest_end(self, ended: QuestEnded) -> None:
        """A quest has ended."""
        if self._service is not None:
            self._service.on_work(ended.quest.id)

    def on_question(self, asked: QuestionAsked) -> None:
        """Something is asked."""
        if self._service is not None:
            subject = asked.about.id if isinstance(asked.about, About) else asked.mission
            self._service.on_work(subject or "", at_once=True)

    def close(self) -> None:
        """Hang up; the session goes on until the keeper ends."""
        if self._service is not None:
            self._service.line.close()
        self._hang_up()

    @property
    def service(self) -> SwarmService | None:
        """The membership; None: this home is no hive of a swarm."""
        return self._service

    @property
    def store(self) -> SwarmStore:
        """What is kept of the swarm."""
        if self._store is None:
            from overmind_core.swarm.store import SwarmStore  # noqa: PLC0415 - for hives alone

            self._store = SwarmStore(self._parts.database, self._parts.meta_table, self._parts.journal)
        return self._store

    @property
    def vault(self) -> Vault:
        """The secrets of this home."""
        from overmind_core.swarm.vault import Vault  # noqa: PLC0415 - for members of a swarm

        return Vault(self._parts.home)

    @property
    def pools(self) -> HomePools:
        """What this home knows of pools."""
        if self._pools is None:
            from overmind_core.swarm.pool_settings import HomePools  # noqa: PLC0415 - for members of a swarm

            self._pools = HomePools(self._parts.home)
        return self._pools

    def keep_invitation(self, invitation: Invitation, *, if_configured: bool = False) -> bool:
        """Keep a pool's invitation; whether it was. `if_configured`: only where config.toml has the pool."""
        if if_configured:
            try:
                if invitation.pool not in self.pools.tables():
                    return False
            except OvermindError:
                return False  # whoever uses the file is told of its mistakes
        self.pools.keep(invitation)
        if self._service is not None:
            self._service.wake_up()
        return True

    def variables(self, mission: Mission) -> Mapping[str, str]:
        """Return the secrets that a run gets, each as a variable, in wire form; they are kept nowhere.

        Raises:
            OvermindError: `no_secret`, one can't be had: its run can't begin.
        """
        if self._parts.meta_table.get("swarm") is None:
            return {}
        quest = self._parts.quests.get(mission.id)
        post = None if quest is None or quest.queue is None or quest.queue.post is None else quest.queue.post.id
        held = self.store.open_of(mission.id) or self.store.open.get(post or "")
        if held is None:
            return {}
        found = self.run_secrets.variables(held)
        return {**self._folder_of(held), **found, **({NAMES: ",".join(found)} if found else {})}

    def _folder_of(self, held: HeldClaim) -> Mapping[str, str]:
        """Where the run of a plan's agent puts what it hands on, as a variable."""
        from overmind_core.swarm.runs import outputs_variable  # noqa: PLC0415 - for hives alone

        return outputs_variable(self._parts.home, held)

    def home_id(self) -> str:
        """What tells this home from all others."""
        from overmind_core.system.hive_id import hive_id  # noqa: PLC0415 - for members of a swarm

        return hive_id(self._parts.home)

    @property
    def run_secrets(self) -> RunSecrets:
        """Those of what this hive has claimed."""
        if self._secrets is None:
            from overmind_core.swarm.run_secrets import RunSecrets  # noqa: PLC0415 - for hives alone

            self._secrets = RunSecrets(self.vault, self.store)
        return self._secrets

    def line(self) -> SwarmLine:
        """Return the line of requests and pools, for which no beat waits: as the hive, or as who has made the swarm.

        Raises:
            OvermindError: `no_swarm`.
        """
        if self._line is None:
            from overmind_core.swarm.line import SwarmLine  # noqa: PLC0415 - it loads psycopg

            url = None if self._service is None else _read(self._parts.home.swarm_url)
            self._line = SwarmLine(url or self.owner_url(), most=ASKED_AT_ONCE, on_answer=self._on_answer)
        return self._line

    def _on_answer(self) -> None:
        if self._service is not None:
            self._service.on_answer()

    def _hang_up(self) -> None:
        """The next request makes a line of its own: this home is somebody else in the swarm now, or nobody."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def owner_line(self) -> SwarmLine:
        """Return a new line with the login that has made the swarm, or with the hive's own where there is none.

        Raises:
            OvermindError: `no_swarm`.
        """
        from overmind_core.swarm.line import SwarmLine  # noqa: PLC0415 - it loads psycopg

        return SwarmLine(self.owner_url())

    def owner_url(self) -> str:
        """Return the URL of `owner_line`.

        Raises:
            OvermindError: `no_swarm`.
        """
        url = _read(self._parts.home.swarm_owner_url) or _read(self._parts.home.swarm_url)
        if url is None:
            raise OvermindError("no_swarm", NO_SWARM)
        return url

    def keep_owner(self, url: str) -> None:
        """Keep the URL with which a swarm was made."""
        write_private(self._parts.home.swarm_owner_url, url)
        self._hang_up()

    async def join(
        self, url: str, labels: Mapping[str, str], slots: int | None, *, instance: str | None = None
    ) -> tuple[str, str, int]:
        """Become a hive; return the names of swarm and hive, and the number of other hives.

        With the login of a viewer this home looks at the swarm, and is no hive: its name is empty.

        `instance`: its name, with the login of its pool; None: it is called as its login.

        Raises:
            OvermindError: `invalid`, this home is in a swarm; and why it can't join.
        """
        if self._service is not None:
            session = self.store.session
            name = "one" if session is None else session.swarm
            raise OvermindError("invalid", f"This home is a hive of swarm {name}. Leave it first: overmind swarm leave")
        service = self._made(url)
        try:
            hello = await service.line.ask(lambda swarm: swarm.hello())
            if instance is None:
                _check_no_pool(hello)
            if hello.role == VIEWER:
                return await self._look_at(service.line, url, hello)
            self.vault.key()  # others seal for it from now on
            wanted = self._parts.settings.queue.slots if slots is None else slots
            name = instance or hello.login
            self._joining = self._joining or os.urandom(16).hex()
            others = await service.join(hello.name, name, labels, wanted, session=self._joining)
            write_private(self._parts.home.swarm_url, url)
        except BaseException:
            service.line.close()
            raise
        self._service, self._joining = service, None
        self._hang_up()
        service.begin()
        return hello.name, name, others

    async def _look_at(self, line: SwarmLine, url: str, hello: Hello) -> tuple[str, str, int]:
        """Keep the login of a viewer, with which requests are made; as `join`."""
        status = await line.ask(lambda swarm: swarm.status())
        line.close()
        write_private(self._parts.home.swarm_url, url)
        self._hang_up()
        return hello.name, "", status.hives

    async def leave(self, *, release: bool, force: bool = False) -> str:
        """Be a hive no more, or look no more; return the name of the swarm, empty where that is not known.

        Args:
            release: Also with posts, which are given back, and although its own plans and specs wait for others.
            force: Also while the swarm does not answer, which then learns nothing of it.

        Raises:
            OvermindError: `no_swarm`; `busy`, it has posts, or waits for some; `swarm_silent`.
        """
        if self._service is None:
            if not await asyncio.to_thread(_remove, self._parts.home.swarm_url):
                raise OvermindError("no_swarm", NO_SWARM)
            self._hang_up()
            return ""
        waiting = self._parts.followed()
        if waiting and not release:
            names = ", ".join(waiting[:5])
            raise OvermindError(
                "busy",
                f"This hive waits for work of the swarm ({names}). End that first, or have it fail with:"
                " overmind swarm leave --release",
            )
        name = await self._service.leave(release=release, force=force)
        self._service.line.close()
        self._service = None
        self._hang_up()
        await asyncio.to_thread(_remove, self._parts.home.swarm_url)
        return name

    def _made(self, url: str) -> SwarmService:
        from overmind_core.swarm.generations import Generations  # noqa: PLC0415 - as below
        from overmind_core.swarm.line import SwarmLine  # noqa: PLC0415 - all of this loads psycopg, or is for hives alone
        from overmind_core.swarm.places import Places  # noqa: PLC0415 - as above
        from overmind_core.swarm.pool_posts import PoolPosts  # noqa: PLC0415 - as above
        from overmind_core.swarm.post_questions import PostQuestions  # noqa: PLC0415 - as above
        from overmind_core.swarm.quest_posts import QuestPosts  # noqa: PLC0415 - as above
        from overmind_core.swarm.reports import Reports  # noqa: PLC0415 - as above
        from overmind_core.swarm.runs import Runs  # noqa: PLC0415 - as above
        from overmind_core.swarm.service import SwarmService  # noqa: PLC0415 - as above
        from overmind_core.swarm.works import Works  # noqa: PLC0415 - as above

        parts = self._parts
        store, secrets = self.store, self.run_secrets
        line = SwarmLine(url, self._wake_up)
        generations = Generations(
            store=store,
            line=line,
            secrets=secrets,
            registry=parts.registry,
            agents=parts.agents,
            results=parts.results(),
            written=parts.memory.written_texts,
        )
        runs = Runs(
            home=parts.home,
            settings=parts.settings,
            registry=parts.registry,
            missions=parts.missions,
            tasks=parts.tasks,
            plan_outputs=parts.plan_outputs(),
            leases=parts.leases,
            store=store,
            secrets=secrets,
            line=line,
            generations=generations,
            find=parts.registry.get,
        )
        quests = QuestPosts(
            home=parts.home,
            registry=parts.registry,
            missions=parts.missions,
            leases=parts.leases,
            quests=parts.quests,
            attempts=parts.attempts,
            changes=parts.changes,
            results=parts.results(),
            store=store,
            secrets=secrets,
            line=line,
        )
        places = Places(
            runs=runs,
            registry=parts.registry,
            missions=parts.missions,
            observer=parts.observer,
            clock=parts.clock,
            tasks=parts.tasks,
            changed=self._on_work,
        )
        works = Works(
            runs=runs,
            quests=quests,
            places=places,
            pools=PoolPosts(
                pools=self.pools,
                store=store,
                line=self.line,
                clock=parts.clock,
                tasks=parts.tasks,
                changed=self._on_work,
            ),
            leases=parts.leases,
            store=store,
            genomes=parts.genomes,
            accepts=parts.settings.swarm.accept,
        )
        questions = PostQuestions(parts.inbox, parts.registry)
        return SwarmService(
            machine=_machine(
                parts.home, parts.settings, self._keeper_life, self.vault.public_key, self.pools.startable
            ),
            store=store,
            works=works,
            reports=Reports(
                store=store, works=works, questions=questions, secrets=secrets, line=line, clock=parts.clock
            ),
            line=line,
            clock=parts.clock,
            tasks=parts.tasks,
            keeper=parts.keeper,
        )

    def _wake_up(self) -> None:
        if self._service is not None:
            self._service.wake_up()

    def _on_work(self, subject: str) -> None:
        if self._service is not None:
            self._service.on_work(subject)

    def _keeper_life(self) -> str:
        return f"{self._parts.registry.boot}:{self._parts.registry.keeper_pid}"


def _machine(
    home: Home,
    settings: Settings,
    life: Callable[[], str],
    key: Callable[[], str | None],
    pools: Callable[[], tuple[str, ...]],
) -> Machine:
    from shutil import which  # noqa: PLC0415 - for hives alone

    from overmind_core.providers import registry  # noqa: PLC0415 - as above
    from overmind_core.swarm.membership import Machine  # noqa: PLC0415 - as above
    from overmind_core.system.hive_id import hive_id  # noqa: PLC0415 - as above

    programs = dict(settings.programs)
    known = {name: programs.get(name, name) for name in registry.names() if name != "raw"}
    known |= {one.provider: one.program for one in settings.own}
    installed = tuple(name for name, program in known.items() if which(program))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        home=_place_of(home, hive_id(home)),
        keeper=life,
        key=key,
        cpu=float(os.cpu_count() or 1),
        memory=memory,
        providers=installed,
        system=os.uname().sysname.lower(),
        accepts=settings.swarm.accept,
        pools=pools,
    )


def _place_of(home: Home, identity: str) -> str:
    """What tells this home from a copy of it: its id, the machine, and the folder's number on its disk."""
    from hashlib import sha256  # noqa: PLC0415 - for hives alone

    place = f"{_read('/etc/machine-id')} {os.stat(home.root).st_ino}"
    return f"{identity}-{sha256(place.encode()).hexdigest()[:16]}"


def _check_no_pool(hello: Hello) -> None:
    if hello.pool:
        message = f"Login {hello.login} is that of a pool: take the whole line that its invitation has printed."
        raise OvermindError("invalid", message)


@contextmanager
def _explained() -> Iterator[None]:
    """Say what is to be installed for a swarm.

    Raises:
        OvermindError: instead of the error of an import.
    """
    try:
        yield
    except ImportError as error:
        from overmind_core.system.installation import what_is_missing  # noqa: PLC0415 - for those who lack something

        if (missing := what_is_missing(error, "swarm")) is None:
            raise
        raise OvermindError("invalid", missing) from error


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip() or None
    except FileNotFoundError:
        return None


def _remove(path: str) -> bool:
    """Whether there was one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
