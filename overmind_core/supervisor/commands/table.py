"""Every command of the API: its name, its arguments, what it does, and who may not ask. docs/api.md is made of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.supervisor import isolationrequests, planrequests, requests
from overmind_core.supervisor.api import Endpoint
from overmind_core.supervisor.callers import forbid_inside, mission_of
from overmind_core.supervisor.commands import (
    asking,
    attaching,
    editing,
    ending,
    following,
    isolating,
    landing,
    logs,
    looking,
    planning,
    questing,
    scheduling,
    spending,
    starting,
    subscribing,
    talking,
    upkeep,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.supervisor.callers import Caller
    from overmind_core.supervisor.core import Supervisor


class Row(NamedTuple):
    """One command. A process inside a mission may give it, but for `forbidden` ("… may not <forbidden>.")."""

    arguments: type[requests.Args]
    handle: Any
    forbidden: str | None = None
    """What is said to a process inside a mission; None: it may, as far as the handler finds that it is its business."""


TABLE: dict[str, Row] = {
    "hello": Row(requests.Hello, looking.hello),
    "status": Row(requests.Nothing, looking.status),
    "run": Row(requests.Start, starting.run),
    "ps": Row(requests.Ps, looking.ps),
    "info": Row(requests.Info, looking.info),
    "logs": Row(requests.Logs, logs.logs),
    "stop": Row(requests.Stop, ending.stop),
    "kill": Row(requests.Kill, ending.kill),
    "restart": Row(requests.RestartArgs, starting.restart, "restart missions"),
    "signal": Row(requests.Signal, ending.signal, "signal missions"),
    "freeze": Row(requests.One, ending.freeze, "freeze missions"),
    "thaw": Row(requests.One, ending.thaw, "thaw missions"),
    "update": Row(requests.Update, upkeep.update, "change missions"),
    "definition": Row(requests.One, editing.definition, "read definitions"),
    "redefine": Row(requests.Redefine, editing.redefine, "change missions"),
    "environment": Row(requests.One, editing.environment, "read environments"),
    "rm": Row(requests.One, upkeep.rm, "remove missions"),
    "prune": Row(requests.Prune, upkeep.prune, "remove missions"),
    "wait": Row(requests.Wait, following.wait),
    "top": Row(requests.Nothing, looking.top),
    "events": Row(requests.Events, following.events),
    "used": Row(requests.Used, following.used, "say that a person looks"),
    "subscribe": Row(requests.Subscribe, subscribing.subscribe),
    "attach": Row(requests.Attach, attaching.attach, "attach to missions"),
    "detach": Row(requests.One, attaching.detach, "detach others"),
    "send": Row(requests.Send, talking.send),
    "await_message": Row(requests.AwaitMessage, talking.await_message),
    "messages": Row(requests.Messages, talking.messages),
    "interrupt": Row(requests.One, talking.interrupt),
    "result": Row(requests.One, talking.result),
    "inbox": Row(requests.Nothing, asking.inbox, "read the inbox; ps tells what its own missions wait for"),
    "answer": Row(requests.Answer, asking.answer, "answer questions"),
    "hook": Row(requests.Hook, asking.hook),
    "seen": Row(requests.One, spending.seen, "mark missions as seen"),
    "cost": Row(requests.Cost, spending.cost),
    "apply": Row(planrequests.Apply, planning.apply, "apply plans"),
    "delete": Row(planrequests.Plan, planning.delete, "take plans down"),
    "plans": Row(requests.Nothing, planning.plans),
    "plan": Row(planrequests.Plan, planning.plan),
    "quest_run": Row(planrequests.QuestRun, questing.quest_run),
    "quests": Row(planrequests.Quests, questing.quests),
    "quest": Row(planrequests.Quest, questing.quest),
    "quest_wait": Row(planrequests.QuestWait, questing.quest_wait),
    "quest_cancel": Row(planrequests.Quest, questing.quest_cancel),
    "ritual_create": Row(planrequests.RitualCreate, scheduling.ritual_create, "create rituals"),
    "rituals": Row(requests.Nothing, scheduling.rituals),
    "ritual": Row(planrequests.Ritual, scheduling.ritual),
    "ritual_history": Row(planrequests.Ritual, scheduling.ritual_history),
    "ritual_run": Row(planrequests.RitualRun, scheduling.ritual_run, "run rituals"),
    "ritual_pause": Row(planrequests.Ritual, scheduling.ritual_pause, "pause rituals"),
    "ritual_resume": Row(planrequests.Ritual, scheduling.ritual_resume, "resume rituals"),
    "ritual_delete": Row(planrequests.Ritual, scheduling.ritual_delete, "delete rituals"),
    "trust": Row(isolationrequests.Trust, isolating.trust, "trust projects"),
    "isolate": Row(isolationrequests.Isolate, isolating.isolate),
    "ports": Row(requests.Nothing, isolating.ports),
    "worktrees": Row(isolationrequests.Worktrees, landing.worktrees),
    "worktrees_prune": Row(isolationrequests.WorktreesPrune, landing.worktrees_prune, "prune worktrees"),
    "changes": Row(requests.One, landing.changes),
    "commit": Row(isolationrequests.Commit, landing.commit),
    "merge": Row(isolationrequests.Merge, landing.merge),
    "push": Row(isolationrequests.Push, landing.push, "push branches"),
    "discard": Row(isolationrequests.Discard, landing.discard),
    "shutdown": Row(requests.Shutdown, ending.shutdown, "shut the daemon down"),
}


def endpoints(core: Supervisor) -> dict[str, Endpoint]:
    """The table, bound to one supervisor."""
    return {name: Endpoint(row.arguments, _guarded(core, row)) for name, row in TABLE.items()}


def _guarded(core: Supervisor, row: Row) -> Callable[[Any, Caller], Any]:
    """The handler, for whoever may ask it."""
    forbidden = row.forbidden
    if forbidden is None:
        return partial(row.handle, core)

    def handle(request: Any, caller: Caller) -> Any:  # noqa: ANN401 - each handler has types of its own
        forbid_inside(mission_of(caller, core.book, core.home.root), forbidden)
        return row.handle(core, request, caller)

    return handle
