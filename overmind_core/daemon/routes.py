"""Every request of the API: its name, its arguments, and what does it. docs/api.md is made of it.

Who may not ask is said in `overmind_core.domain.operations`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.agents.api_cost import CostApi
from overmind_core.agents.api_messages import MessageApi
from overmind_core.agents.api_questions import QuestionApi
from overmind_core.agents.api_stream import StreamApi
from overmind_core.daemon.api import DaemonApi
from overmind_core.daemon.apis import apis
from overmind_core.definitions.api import DefinitionsApi
from overmind_core.definitions.api_run import RunApi
from overmind_core.domain.operations import OPERATIONS
from overmind_core.isolation import api
from overmind_core.kernel.api_server import Endpoint
from overmind_core.kernel.request import Args
from overmind_core.landing.api import LandingApi
from overmind_core.missions import requests
from overmind_core.missions.api_lifecycle import LifecycleApi
from overmind_core.missions.api_logs import LogsApi
from overmind_core.missions.api_query import QueryApi
from overmind_core.missions.api_seen import SeenApi
from overmind_core.missions.callers import forbid_inside, mission_of
from overmind_core.notifications.api import EventsApi
from overmind_core.plans import requests as plans_requests
from overmind_core.plans.api import PlanApi
from overmind_core.quests import requests as quest_requests
from overmind_core.quests.api import QuestApi
from overmind_core.schedules import requests as ritual_requests
from overmind_core.schedules.api import RitualApi
from overmind_core.terminals.api import TerminalsApi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.daemon.app import App
    from overmind_core.kernel.request import Caller


class Row(NamedTuple):
    """What takes a request of this name."""

    arguments: type[Args]
    handle: Any


TABLE: dict[str, Row] = {
    "hello": Row(requests.Hello, DaemonApi.hello),
    "status": Row(requests.Nothing, DaemonApi.status),
    "run": Row(requests.Start, RunApi.run),
    "ps": Row(requests.Ps, QueryApi.ps),
    "info": Row(requests.Info, QueryApi.info),
    "logs": Row(requests.Logs, LogsApi.logs),
    "stop": Row(requests.Stop, LifecycleApi.stop),
    "kill": Row(requests.Kill, LifecycleApi.kill),
    "restart": Row(requests.RestartArgs, LifecycleApi.restart),
    "signal": Row(requests.Signal, LifecycleApi.signal),
    "freeze": Row(requests.One, LifecycleApi.freeze),
    "thaw": Row(requests.One, LifecycleApi.thaw),
    "update": Row(requests.Update, LifecycleApi.update),
    "definition": Row(requests.One, DefinitionsApi.definition),
    "redefine": Row(requests.Redefine, DefinitionsApi.redefine),
    "environment": Row(requests.One, DefinitionsApi.environment),
    "rm": Row(requests.One, LifecycleApi.rm),
    "prune": Row(requests.Prune, LifecycleApi.prune),
    "wait": Row(requests.Wait, QueryApi.wait),
    "top": Row(requests.Nothing, QueryApi.top),
    "events": Row(requests.Events, EventsApi.events),
    "used": Row(requests.Used, EventsApi.used),
    "subscribe": Row(requests.Subscribe, StreamApi.subscribe),
    "attach": Row(requests.Attach, TerminalsApi.attach),
    "detach": Row(requests.One, TerminalsApi.detach),
    "send": Row(requests.Send, MessageApi.send),
    "await_message": Row(requests.AwaitMessage, MessageApi.await_message),
    "messages": Row(requests.Messages, MessageApi.messages),
    "interrupt": Row(requests.One, MessageApi.interrupt),
    "result": Row(requests.One, MessageApi.result),
    "inbox": Row(requests.Nothing, QuestionApi.inbox),
    "answer": Row(requests.Answer, QuestionApi.answer),
    "hook": Row(requests.Hook, QuestionApi.hook),
    "seen": Row(requests.One, SeenApi.seen),
    "cost": Row(requests.Cost, CostApi.cost),
    "apply": Row(plans_requests.Apply, PlanApi.apply),
    "delete": Row(plans_requests.Plan, PlanApi.delete),
    "plans": Row(requests.Nothing, PlanApi.plans),
    "plan": Row(plans_requests.Plan, PlanApi.plan),
    "quest_run": Row(quest_requests.QuestRun, QuestApi.quest_run),
    "quests": Row(quest_requests.Quests, QuestApi.quests),
    "quest": Row(quest_requests.Quest, QuestApi.quest),
    "quest_wait": Row(quest_requests.QuestWait, QuestApi.quest_wait),
    "quest_cancel": Row(quest_requests.Quest, QuestApi.quest_cancel),
    "ritual_create": Row(ritual_requests.RitualCreate, RitualApi.ritual_create),
    "rituals": Row(requests.Nothing, RitualApi.rituals),
    "ritual": Row(ritual_requests.Ritual, RitualApi.ritual),
    "ritual_history": Row(ritual_requests.Ritual, RitualApi.ritual_history),
    "ritual_run": Row(ritual_requests.RitualRun, RitualApi.ritual_run),
    "ritual_pause": Row(ritual_requests.Ritual, RitualApi.ritual_pause),
    "ritual_resume": Row(ritual_requests.Ritual, RitualApi.ritual_resume),
    "ritual_delete": Row(ritual_requests.Ritual, RitualApi.ritual_delete),
    "trust": Row(api.Trust, api.IsolationApi.trust),
    "isolate": Row(api.Isolate, api.IsolationApi.isolate),
    "ports": Row(requests.Nothing, api.IsolationApi.ports),
    "worktrees": Row(api.Worktrees, LandingApi.worktrees),
    "worktrees_prune": Row(api.WorktreesPrune, LandingApi.worktrees_prune),
    "changes": Row(requests.One, LandingApi.changes),
    "commit": Row(api.Commit, LandingApi.commit),
    "merge": Row(api.Merge, LandingApi.merge),
    "push": Row(api.Push, LandingApi.push),
    "discard": Row(api.Discard, LandingApi.discard),
    "shutdown": Row(requests.Shutdown, DaemonApi.shutdown),
}


def endpoints(app: App) -> dict[str, Endpoint]:
    """The table, bound to the parts of one daemon."""
    handlers = (*apis(app), *app.agent_apis)
    return {name: Endpoint(row.arguments, _guarded(app, handlers, name)) for name, row in TABLE.items()}


def _guarded(app: App, handlers: Sequence[object], name: str) -> Callable[[Any, Caller], Any]:
    """The handler, for whoever may ask it."""
    row = TABLE[name]
    owner = next(one for one in handlers if getattr(type(one), row.handle.__name__, None) is row.handle)
    forbidden = OPERATIONS[name].forbidden
    if forbidden is None:
        return partial(row.handle, owner)

    def handle(request: Any, caller: Caller) -> Any:  # noqa: ANN401 - each handler has types of its own
        forbid_inside(mission_of(caller, app.registry, app.home.root), forbidden)
        return row.handle(owner, request, caller)

    return handle
