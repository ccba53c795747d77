"""Who handles each request of the API: its handler marks its arguments, `domain/operations.py` says who may ask.

A handler is a method named as its request, of a class that is given here the parts of the daemon that it uses. What no
other part needs, such as the table of a feature that stands for itself, is made here, too.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import overmind_core.reports.events  # noqa: F401 - no request names a type of event that is not loaded
from overmind_core.agents.api_cost import CostApi
from overmind_core.agents.api_messages import MessageApi
from overmind_core.agents.api_questions import QuestionApi
from overmind_core.agents.api_stream import StreamApi
from overmind_core.daemon.api import DaemonApi
from overmind_core.definitions.api import DefinitionsApi
from overmind_core.definitions.api_fork import ForkApi
from overmind_core.definitions.api_run import RunApi
from overmind_core.domain.actor import PERSON
from overmind_core.domain.operations import OPERATIONS, REQUESTS
from overmind_core.isolation.api import IsolationApi
from overmind_core.kernel import config
from overmind_core.kernel.actor import acts
from overmind_core.kernel.api_server import Endpoint
from overmind_core.kernel.keyed_requests import KeyedRequests, KeyedRequestTable
from overmind_core.landing.api import LandingApi
from overmind_core.learning.api import LearnApi
from overmind_core.memory.api import MemoryApi
from overmind_core.missions.api_figures import FiguresApi
from overmind_core.missions.api_lifecycle import LifecycleApi
from overmind_core.missions.api_logs import LogsApi
from overmind_core.missions.api_query import QueryApi
from overmind_core.missions.api_seen import SeenApi
from overmind_core.missions.callers import forbid_inside, mission_of
from overmind_core.missions.figures import FigureLooks, FigureReader
from overmind_core.missions.lost import LostLookup
from overmind_core.missions.restarts import Restarts
from overmind_core.missions.standings import JoinedStandings
from overmind_core.notifications.api import EventsApi
from overmind_core.plans.api import PlanApi
from overmind_core.plans.standings import PlanStandings
from overmind_core.providers.registry import names as provider_names
from overmind_core.quests.api import QuestApi
from overmind_core.quests.api_queue import QueueApi
from overmind_core.quests.edits import MissionEdits
from overmind_core.quests.standings import QuestStandings
from overmind_core.reports.api import ReportApi
from overmind_core.schedules.api import RitualApi
from overmind_core.specs.api import SpecApi
from overmind_core.swarm.api import SwarmApi
from overmind_core.swarm.api_fleets import FleetApi
from overmind_core.swarm.api_lineages import LineageApi
from overmind_core.swarm.api_pools import PoolApi
from overmind_core.swarm.api_posts import PostApi
from overmind_core.swarm.api_vault import VaultApi
from overmind_core.terminals.api import TerminalsApi
from overmind_core.timeline.api import SpecNamed, TimelineApi
from overmind_core.watching.api import WatchingApi
from overmind_core.web_access.api import WebAccessApi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.daemon.app import App
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.request import Args, Caller
    from overmind_core.landing.review import LandingReview
    from overmind_core.quests.queue_views import QueueViews
    from overmind_core.web_access.service import WebAccesses

HANDLERS: tuple[type, ...] = (
    CostApi,
    MessageApi,
    QuestionApi,
    StreamApi,
    DaemonApi,
    DefinitionsApi,
    RunApi,
    ForkApi,
    IsolationApi,
    FiguresApi,
    LandingApi,
    LearnApi,
    LifecycleApi,
    LogsApi,
    MemoryApi,
    QueryApi,
    SeenApi,
    EventsApi,
    PlanApi,
    QuestApi,
    QueueApi,
    ReportApi,
    RitualApi,
    SpecApi,
    SwarmApi,
    PostApi,
    FleetApi,
    LineageApi,
    PoolApi,
    VaultApi,
    TerminalsApi,
    TimelineApi,
    WatchingApi,
    WebAccessApi,
)


class Row(NamedTuple):
    """One request: its arguments, and the method that handles it."""

    arguments: type[Args]
    handle: Any


def table(classes: Sequence[type] = HANDLERS) -> dict[str, Row]:
    """Every request in the order of its operation.

    Raises:
        RuntimeError: a request has no handler or two, or is no operation.
    """
    found: dict[str, Row] = {}
    for kind in classes:
        for name, method in vars(kind).items():
            if arguments := getattr(method, "arguments", None):
                if name in found:
                    raise RuntimeError(f"two handlers of {name}")
                found[name] = Row(arguments, method)
    wanted = [row.name for row in REQUESTS]
    if found.keys() != set(wanted):
        raise RuntimeError(f"handlers and operations differ: {', '.join(sorted(found.keys() ^ set(wanted)))}")
    return {name: found[name] for name in wanted}


TABLE = table()


def handlers(app: App) -> tuple[object, ...]:
    """An object of each class of `HANDLERS` but those of agents, which are made with them."""
    lost = LostLookup(
        journal=app.journal, registry=app.registry, mission_table=app.state.missions, quests=app.quest_registry
    )
    daemon = DaemonApi(
        home=app.home,
        clock=app.clock,
        phase=app.phase,
        tasks=app.tasks,
        journal=app.journal,
        registry=app.registry,
        mission_table=app.state.missions,
        line=app.line,
        missions=app.missions,
        preparer=app.isolation,
        leave=app.leave,
        pending_settings=lambda: config.pending(
            app.home.config, app.home.good_config, app.settings, providers=provider_names()
        ),
        unrecorded=app.unrecorded,
        lost=lost,
        state_trouble=lambda: app.state_trouble,
        left_processes=app.missions.left_processes,
        quests=app.quest_registry,
    )
    edits = MissionEdits(app.quest_registry)
    lifecycle = LifecycleApi(
        home=app.home,
        clock=app.clock,
        registry=app.registry,
        journal=app.journal,
        environments=app.saved_environments,
        unseen=app.unseen,
        missions=app.missions,
        restarts=_restarts(app),
        trees=app.trees,
        progress=app.progress,
        retention=app.retention,
        plans=app.plans,
        quests=app.quest_registry,
        edits=edits,
        lost=lost,
        left_processes=app.missions.left_processes,
    )
    standings = _standings(app)
    reader = FigureReader(
        home=app.home,
        registry=app.registry,
        run_table=app.state.runs,
        progress=app.progress,
        last_lines=app.last_lines,
        resources=app.resources,
        runner=app.agents,
        preparer=app.isolation,
        standings=standings,
    )
    figures = FiguresApi(
        registry=app.registry,
        progress=app.progress,
        looks=FigureLooks(reader, app.registry, app.clock, app.tasks),
    )
    queries = QueryApi(
        home=app.home,
        clock=app.clock,
        registry=app.registry,
        mission_table=app.state.missions,
        unseen=app.unseen,
        attachments=app.attachments,
        progress=app.progress,
        figures=reader,
        resources=app.resources,
        load_history=app.load_history,
        environments=app.environments,
        runner=app.agents,
        preparer=app.isolation,
        budget=app.budgets,
        lost=lost,
        standings=standings,
        left_processes=app.missions.left_processes,
    )
    logs = LogsApi(
        home=app.home,
        registry=app.registry,
        journal=app.journal,
        mission_table=app.state.missions,
        event_table=app.state.events,
        progress=app.progress,
        followers=app.followers,
        unseen=app.unseen,
    )
    run = RunApi(home=app.home, settings=app.settings, registry=app.registry, missions=app.missions)
    fork = ForkApi(
        home=app.home,
        settings=app.settings,
        registry=app.registry,
        missions=app.missions,
        agents=app.agents,
        messages=app.agents.messages,
        environments=app.saved_environments,
        project_folder=app.isolation.project_folder,
    )
    events = EventsApi(
        home=app.home,
        registry=app.registry,
        journal=app.journal,
        event_table=app.state.events,
        followers=app.followers,
        notifications=app.notifications,
    )
    views = cache(partial(_queue_views, app))
    queue = QueueApi(
        quests=app.quest_registry,
        queue=app.engine.queue,
        clock=app.clock,
        changes=app.engine.queue_changes,
        views=views,
        limit_today=app.engine.budgets.limit_today,
    )
    reports = ReportApi(
        home=app.home,
        clock=app.clock,
        registry=app.registry,
        reports=lambda: app.engine.reports,
        assignments=lambda: app.engine.assignments,
    )
    quests = QuestApi(
        home=app.home,
        clock=app.clock,
        settings=app.settings,
        registry=app.registry,
        journal=app.journal,
        quests=app.quests,
        every=app.quest_registry,
        attempts=app.engine.attempts,
        views=views,
        mission_table=app.state.missions,
        quest_table=app.state.quests,
    )
    plans = PlanApi(
        home=app.home,
        plans=app.plans,
        journal=app.journal,
        clock=app.clock,
        registry=app.registry,
        missions=app.missions,
        plan_table=app.state.plans,
    )
    rituals = RitualApi(
        schedules=app.schedules,
        clock=app.clock,
        settings=app.settings,
        launcher=app.launcher,
        preparer=app.isolation,
        journal=app.journal,
    )
    definitions = DefinitionsApi(
        registry=app.registry,
        settings=app.settings,
        environments=app.environments,
        launcher=app.launcher,
        journal=app.journal,
        home=app.home,
        agents=app.agents,
        environment_table=app.state.environments,
        edits=edits,
        check_restart=lifecycle.check_restart,
    )
    terminals = TerminalsApi(
        registry=app.registry,
        attachments=app.attachments,
        agents=app.agents,
        line=app.line,
        home=app.home,
        progress=app.progress,
        phase=app.phase,
    )
    isolation = IsolationApi(
        workspace=app.workspace,
        journal=app.journal,
        clock=app.clock,
        registry=app.registry,
        trust_table=app.state.trusted,
        port_table=app.state.ports,
    )
    timeline = TimelineApi(
        journal=app.journal,
        registry=app.registry,
        quests=app.quest_registry,
        mission_table=app.state.missions,
        quest_table=app.state.quests,
        event_table=app.state.events,
        specs=lambda: (
            SpecNamed(one.id, one.slug, one.created_at, one.archived) for one in app.engine.specs.registry.all.values()
        ),
    )
    seen = SeenApi(
        registry=app.registry,
        journal=app.journal,
        clock=app.clock,
        event_table=app.state.events,
        seen_table=app.state.seen,
        unseen=app.unseen,
        followers=app.followers,
    )
    return (
        daemon,
        isolation,
        run,
        fork,
        lifecycle,
        queries,
        figures,
        logs,
        events,
        seen,
        LandingApi(partial(_review, app, lifecycle.check_restart)),
        LearnApi(lambda: app.engine.learning),
        MemoryApi(notes=app.memory.memory, registry=app.registry, home=app.home),
        plans,
        quests,
        queue,
        reports,
        rituals,
        definitions,
        terminals,
        SpecApi(specs=app.engine.specs, journal=app.journal, missions=app.registry, home=app.home),
        timeline,
        WatchingApi(
            home=app.home,
            registry=app.registry,
            clock=app.clock,
            watching=app.engine.watching,
            reviewer=app.engine.reviewer,
        ),
        SwarmApi(app.swarm),
        PostApi(app.swarm, app.settings, app.clock),
        FleetApi(app.swarm, app.settings),
        LineageApi(app.swarm),
        PoolApi(app.swarm),
        VaultApi(app.swarm),
        WebAccessApi(cache(partial(_web_accesses, app)), session_seconds=app.settings.web.session),
    )


def _queue_views(app: App) -> QueueViews:
    from overmind_core.quests.queue_views import QueueViews  # noqa: PLC0415 - for those who look at quests

    return QueueViews(
        quests=app.quest_registry,
        queue=app.engine.queue,
        obstacles=app.engine.obstacles,
        asker=app.engine.quest_asker,
        registry=app.registry,
        journal=app.journal,
        clock=app.clock,
        mission_table=app.state.missions,
        quest_table=app.state.quests,
        slug_of=app.engine.specs.slug_of,
        find_spec=app.engine.specs.id_of,
        estimated=app.engine.learning.estimated_seconds,
        look=app.engine.attempts.targets.look,
        refusal=app.engine.attempts.targets.refusal,
        in_the_way=app.engine.attempts.targets.in_the_way,
        gates=app.engine.specs.gates,
        worktree=app.engine.quest_landing.worktree,
        kept_work=app.isolation.kept_work,
        home=app.home,
        pending_settings=lambda key: config.pending(
            app.home.config, app.home.good_config, app.settings, providers=provider_names(), key=key
        ),
        questions_about=next(one for one in app.agent_apis if isinstance(one, QuestionApi)).questions_about,
    )


def _web_accesses(app: App) -> WebAccesses:
    from overmind_core.web_access.service import WebAccesses  # noqa: PLC0415 - for those who have a web server
    from overmind_core.web_access.store import WebAccessTable  # noqa: PLC0415 - same

    table = WebAccessTable(app.state.database)
    return WebAccesses(journal=app.journal, events=app.events, clock=app.clock, table=table)


def _standings(app: App) -> JoinedStandings:
    quests = QuestStandings(app.quest_registry, app.engine.attempts.targets.in_the_way)
    return JoinedStandings(quests, PlanStandings(app.plans, app.state.plans))


def _review(app: App, check_restart: Callable[[Mission], None]) -> LandingReview:
    from overmind_core.landing.answers import WorktreeInspector  # noqa: PLC0415 - git is for those who land
    from overmind_core.landing.resolving import ConflictResolving  # noqa: PLC0415 - same
    from overmind_core.landing.review import LandingReview  # noqa: PLC0415 - same

    resolving = ConflictResolving(
        registry=app.registry,
        locations=app.locations,
        agents=app.agents,
        submission=app.engine.submission,
        restarts=_restarts(app),
        environments=app.saved_environments,
        check_restart=check_restart,
    )
    worktrees = WorktreeInspector(
        locations=app.locations, workspace=app.workspace, registry=app.registry, standings=_standings(app)
    )
    return LandingReview(
        landing=app.landing,
        locations=app.locations,
        worktrees=worktrees,
        workspace=app.workspace,
        isolation=app.isolation,
        registry=app.registry,
        tasks=app.tasks,
        home=app.home,
        journal=app.journal,
        events=app.events,
        landing_table=app.state.landings,
        resolving=resolving,
        quest=app.quests.get,
        question_of=app.engine_questions.deciding,
    )


def _restarts(app: App) -> Restarts:
    return Restarts(
        registry=app.registry, journal=app.journal, leases=app.leases, runner=app.agents, preparer=app.isolation
    )


def endpoints(app: App) -> dict[str, Endpoint]:
    """The table, bound to the parts of one daemon."""
    owners = (*handlers(app), *app.agent_apis)
    once = KeyedRequests(app.journal, KeyedRequestTable(app.state.database)).once
    return {
        name: Endpoint(
            row.arguments,
            _guarded(app, owners, name),
            OPERATIONS[name].asks_keeper,
            once if OPERATIONS[name].takes_key else None,
        )
        for name, row in TABLE.items()
    }


def _guarded(app: App, owners: Sequence[object], name: str) -> Callable[[Any, Caller, str | None], Any]:
    """The handler, for whoever may ask it."""
    row = TABLE[name]
    owner = next(one for one in owners if getattr(type(one), row.handle.__name__, None) is row.handle)
    forbidden = OPERATIONS[name].forbidden

    def handle(request: Any, caller: Caller, by: str | None) -> Any:  # noqa: ANN401 - each handler has types of its own
        acts(lambda: mission_of(caller, app.registry, app.home.root) or by or PERSON)
        if by is not None:
            forbid_inside(mission_of(caller, app.registry, app.home.root), "ask in the name of a person")
        if forbidden is not None:
            forbid_inside(mission_of(caller, app.registry, app.home.root), forbidden)
        return row.handle(owner, request, caller)

    return handle
