"""The arguments of requests about agents: messages, questions, what their programs report, costs."""

from __future__ import annotations

from typing import Any, Literal

from overmind_core.kernel.request import Args, RequestKey
from overmind_core.missions.requests import Amount, Whole


class Subscribe(Args, frozen=True):
    """The output of missions as objects; `offsets` continues a stream that broke: `{run id: bytes seen}`."""

    ids: list[str]
    from_start: bool = False
    offsets: dict[str, Whole] = {}


class Send(Args, frozen=True):
    """A message for a session. `queue`: also while a person has it; `request`: a repeat makes no second message."""

    id: str
    text: str
    queue: bool = False
    request: RequestKey | None = None


class Keys(Args, frozen=True):
    """Type into the terminal of a session, as a person would: a text, then keys by their names."""

    id: str
    text: str = ""
    keys: list[str] = []


class AwaitMessage(Args, frozen=True):
    """Wait until a message is `delivered` or `answered`, or for `timeout`; answers how it stands then."""

    message: Whole
    until: Literal["delivered", "answered"] = "answered"
    timeout: Amount = 60


class Messages(Args, frozen=True):
    """The messages of a session; `cancel`: withdraw one that is queued."""

    id: str
    cancel: Whole | None = None


class Answer(Args, frozen=True, kw_only=True):
    """Answer a question by its number, or the oldest one about a mission, quest or spec, `id`."""

    question: Whole | None = None
    id: str | None = None
    behaviour: Literal["allow", "deny", "always"] | None = None
    """`always` is for permissions. Null: options or a message answer it, which is no permission and no gate."""
    message: str | None = None
    options: list[str] = []
    """The chosen labels; `#2` is the second one, `1:#2` the second one of the first question."""


class Hook(Args, frozen=True):
    """An event of an agent's program, from a hook of Overmind; the token proves which run."""

    mission: str
    token: str
    payload: dict[str, Any]


class Cost(Args, frozen=True):
    """The summed cost of turns; `since`: an RFC 3339 time."""

    by: Literal["mission", "day", "label"] = "mission"
    since: str | None = None
