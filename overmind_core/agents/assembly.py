"""The parts of agents, from the bottom to the top, and what answers requests about them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.agents.activity import ActivityEffects
from overmind_core.agents.answering import Answering
from overmind_core.agents.api_cost import CostApi
from overmind_core.agents.api_messages import MessageApi
from overmind_core.agents.api_questions import QuestionApi
from overmind_core.agents.api_stream import StreamApi
from overmind_core.agents.briefing import RunBriefing
from overmind_core.agents.budgets import Budgets
from overmind_core.agents.engine_questions import EngineQuestion, EngineQuestions
from overmind_core.agents.handover import Handover
from overmind_core.agents.input_queue import InputQueue
from overmind_core.agents.messages import MessageQueue
from overmind_core.agents.output_reader import OutputReader, TitleReader
from overmind_core.agents.pasting import Pasting
from overmind_core.agents.permission_hooks import PermissionWaiters
from overmind_core.agents.plain_conversations import PlainConversations
from overmind_core.agents.questions import Questions
from overmind_core.agents.rules import Rules
from overmind_core.agents.server_driver import ServerDriver
from overmind_core.agents.service import Agents
from overmind_core.agents.session import AgentContext
from overmind_core.agents.submission import Submission
from overmind_core.agents.terminal_driver import TerminalDriver
from overmind_core.agents.terminal_screen import TerminalScreens
from overmind_core.agents.usage_reader import UsageReader
from overmind_core.missions import private_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.agents.ports import Briefing
    from overmind_core.agents.store import AgentStore
    from overmind_core.domain.events import About
    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.attachments import Attachments
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.followers import Followers
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


class AgentParts(NamedTuple):
    """What agents stand on."""

    home: Home
    settings: Settings
    store: AgentStore
    clock: Clock
    bus: Bus
    journal: Journal
    events: EventLog
    tasks: Tasks
    phase: Phase
    line: CurrentKeeper
    registry: Registry
    environments: Environments
    progress: OutputProgress
    followers: Followers
    attachments: Attachments
    memory: Briefing


class Subjects(NamedTuple):
    """What agents ask about quests and specs, which stand above them."""

    resolvers: Sequence[Callable[[str], About]]
    """As of `QuestionApi`."""
    spec_of: Callable[[str], str | None]
    """As of `QuestionApi`."""
    quests_of: Callable[[EngineQuestion], Sequence[str]]
    """As of `QuestionApi`."""
    text_of_quest: Callable[[str], str | None]
    """Title and brief of the quest of the queue that a mission does; None: it does none."""


class AssembledAgents(NamedTuple):
    """Agents, and those of their parts that others use."""

    service: Agents
    budgets: Budgets
    questions: Questions
    engine_questions: EngineQuestions
    submission: Submission
    apis: tuple[object, ...]


def assemble(parts: AgentParts, subjects: Subjects) -> AssembledAgents:
    """Make the parts of agents."""
    book, journal, clock, home, store = parts.registry, parts.journal, parts.clock, parts.home, parts.store
    progress, followers, unattended = parts.progress, parts.followers, parts.line.headless
    screens, waiters = TerminalScreens(book, progress, home), PermissionWaiters()
    messages = MessageQueue(journal, store.messages, clock)
    questions = Questions(journal, store.questions, clock)
    engine = EngineQuestions(
        journal=journal,
        events=parts.events,
        questions=questions,
        table=store.questions,
        clock=clock,
        unattended=unattended,
    )
    budgets = Budgets(book, journal, clock, costs=store.costs, table=store.budgets)
    usage = UsageReader(parts.tasks, book)
    driver = TerminalDriver(parts.tasks, screens, waiters, parts.attachments, parts.settings.interrupts)
    notes = partial(private_files.written_notes, home)
    inputs = InputQueue(
        journal,
        store.inputs,
        parts.line,
        written_notes=lambda mission: agents.notes_as_written(mission),  # noqa: PLW0108 - made below
    )
    servers = ServerDriver(parts.tasks, screens, book, questions, inputs)
    context = AgentContext(
        registry=book,
        journal=journal,
        clock=clock,
        store=store,
        messages=messages,
        questions=questions,
        rules=Rules(
            parts.settings,
            parts.environments.of,
            has_memory=lambda mission: agents.has_memory(mission),  # noqa: PLW0108 - made below
            unattended=unattended,
        ),
        waiters=waiters,
        inputs=inputs,
        driver=driver,
        server_driver=servers,
        activity=ActivityEffects(book, clock, progress, followers),
        budgets=budgets,
        prices=parts.settings.prices,
        usage=usage,
        publish=parts.bus.publish,
    )
    output = OutputReader(
        tasks=parts.tasks,
        titles=TitleReader(followers, progress, screens, clock, parts.settings.terminal_rules),
        followers=followers,
        progress=progress,
        cursors=store.cursors,
        home=home,
    )
    agents = Agents(
        context,
        output,
        driver,
        Handover(followers, parts.attachments, parts.phase, clock),
        parts.tasks,
        servers=servers,
        plain=PlainConversations(
            book, parts.settings.terminals, lambda mission: parts.environments.of(mission).both, output.last_screen
        ),
        written_notes=notes,
        briefing=None if unattended else RunBriefing(parts.memory, subjects.text_of_quest),
    )
    pasting = Pasting(screens, parts.settings.terminal_rules, parts.settings.terminals)
    submission = Submission(agents, messages, context.inputs, journal, pasting)
    apis = (
        MessageApi(
            agents=agents,
            submission=submission,
            queue=messages,
            registry=book,
            journal=journal,
            home=home,
        ),
        QuestionApi(
            agents=agents,
            questions=questions,
            answering=Answering(agents, submission, journal, clock),
            engine=engine,
            resolvers=subjects.resolvers,
            spec_of=subjects.spec_of,
            quests_of=subjects.quests_of,
            waiters=waiters,
            driver=driver,
            registry=book,
            journal=journal,
            phase=parts.phase,
            usage=usage,
        ),
        StreamApi(book, followers, progress, home),
        CostApi(journal, store.costs, clock),
    )
    return AssembledAgents(agents, budgets, questions, engine, submission, apis)
