"""Every command of the API: its name, its arguments, what it does. docs/api.md is generated from this table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.supervisor import requests
from overmind_core.supervisor.api import Endpoint
from overmind_core.supervisor.commands import ending, following, logs, looking, starting, subscribing, upkeep

if TYPE_CHECKING:
    from overmind_core.supervisor.core import Supervisor

TABLE: dict[str, tuple[type[requests.Args], Any]] = {
    "hello": (requests.Hello, looking.hello),
    "status": (requests.Nothing, looking.status),
    "run": (requests.Start, starting.run),
    "ps": (requests.Ps, looking.ps),
    "info": (requests.Info, looking.info),
    "logs": (requests.Logs, logs.logs),
    "stop": (requests.Stop, ending.stop),
    "kill": (requests.Kill, ending.kill),
    "restart": (requests.RestartArgs, starting.restart),
    "signal": (requests.Signal, ending.signal),
    "freeze": (requests.One, ending.freeze),
    "thaw": (requests.One, ending.thaw),
    "update": (requests.Update, upkeep.update),
    "rm": (requests.One, upkeep.rm),
    "prune": (requests.Prune, upkeep.prune),
    "wait": (requests.Wait, following.wait),
    "top": (requests.Nothing, looking.top),
    "events": (requests.Events, following.events),
    "subscribe": (requests.Subscribe, subscribing.subscribe),
    "shutdown": (requests.Shutdown, ending.shutdown),
}


def endpoints(core: Supervisor) -> dict[str, Endpoint]:
    """The table, bound to one supervisor."""
    return {name: Endpoint(arguments, partial(handle, core)) for name, (arguments, handle) in TABLE.items()}
