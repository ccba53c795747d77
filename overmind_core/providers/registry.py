"""Which agent programs there are: a row for each, and no other place names them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from overmind_core.providers.base import Provider, Renderer

_ACP = "overmind_core.providers.rpc.provider"
_QWEN = "overmind_core.providers.rpc.qwen"
_COPILOT = "overmind_core.providers.rpc.copilot"
_OPENCODE = "overmind_core.providers.rpc.opencode_screen"
_ONCE = "once:"
"""Before the name of a person's own program that takes one prompt."""
ROWS: Mapping[str, tuple[str, str]] = {
    "raw": ("overmind_core.providers.raw", "Raw"),
    "claude": ("overmind_core.providers.claude.provider", "Claude"),
    "codex": ("overmind_core.providers.rpc.codex", "Codex"),
    "gemini": (_ACP, "gemini"),
    "opencode": (_OPENCODE, "Opencode"),
    "qwen": (_QWEN, "Qwen"),
    "copilot": (_COPILOT, "Copilot"),
}
"""The module and what makes one; imported when first asked for, for the command line starts often and needs few."""
_RENDERERS: Mapping[str, tuple[str, str]] = {
    "claude": ("overmind_core.providers.claude.transcript", "ClaudeTranscript"),
}
"""Renderers in modules of their own: to read logs takes no provider."""


LABELS = ("bash", "edit", "read", "webfetch", "tool")
"""Names of tools, in lower case, that a line of a transcript may have and no line of its program."""


class TextPieces(NamedTuple):
    """How a program sends its text in pieces, each in a line of its own, so that no line may hold a whole word.

    Attributes:
        mark: Stands in each such line.
        key: The name of the string that is a piece.
        conversation: The name of the one that says of which conversation.
    """

    mark: bytes
    key: bytes
    conversation: bytes


_PIECES: Mapping[str, TextPieces] = {
    **dict.fromkeys((_ACP, _QWEN, _COPILOT, _OPENCODE), TextPieces(b"agent_message_chunk", b"text", b"sessionId")),
    "overmind_core.providers.rpc.codex": TextPieces(b"agentMessage", b"delta", b"threadId"),
}
"""By the module that makes the provider."""
NOT_LOGGED_IN = "not_logged_in"
"""The reason of a program's failure that has no login."""


class UnknownProvider(LookupError):
    """There is no provider of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(unknown(name))
        self.name = name


def unknown(name: str, known: Sequence[str] = ()) -> str:
    """Return what is said of a name that is not among the `known` (all): the nearest ones, and how any program runs."""
    from difflib import get_close_matches  # noqa: PLC0415 - for a mistake alone

    from overmind_core.providers.terminal_rows import PROMPTS  # noqa: PLC0415 - likewise

    known = known or names()
    if name in PROMPTS and name not in known:
        start = f"overmind run --type session -- {name}"
        return f"{name} is no provider, but a program that Overmind knows on its terminal. Run it with: {start}"
    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
    return f"Unknown provider {name!r}. {hint} Any program runs with: overmind run --type session -- PROGRAM"


def names() -> tuple[str, ...]:
    """All providers that are known by themselves, the plain one first."""
    return tuple(ROWS)


def is_known(name: str) -> bool:
    """Whether its lines can be read: it is one of `names`, or called as a person's own agent is."""
    return name in ROWS or _is_own(name)


def _is_own(name: str) -> bool:
    from overmind_core.domain.agents.agent import is_own  # noqa: PLC0415 - start-up: a search in logs needs no agents

    return is_own(name)


def log_in_first(name: str, reason: str | None) -> str:
    """What to do before an agent of that provider runs again that failed for this reason; "" where that is no login."""
    if reason != NOT_LOGGED_IN:
        return ""
    how = get(name).log_in if is_known(name) else ""
    return f"log in first: {how}" if how else ""


def renderer(name: str) -> Renderer | None:
    """A renderer for one run of that provider; None: its lines are plain, or nobody here knows it."""
    if name in _RENDERERS:
        module, kind = _RENDERERS[name]
        return cast("Renderer", getattr(import_module(module), kind)())
    provider = get(name) if is_known(name) else None
    return provider.renderer() if provider is not None and provider.speaks_json else None


def text_pieces(name: str) -> TextPieces | None:
    """How the text of that provider comes in pieces; None: a line has all of it. Imports none."""
    module = ROWS[name][0] if name in ROWS else "" if name.startswith(_ONCE) else _ACP
    return _PIECES.get(module)


def recognised(line: bytes) -> str | None:
    """Return the provider of a line of a log without a record; None: it looks plain. Any of one protocol will do."""
    if b'"jsonrpc"' in line:
        return "gemini"
    if line.startswith(b'{"type":'):
        return "claude"
    return "codex" if line.startswith(b'{"id":"open"') else None


@cache
def get(name: str) -> Provider:
    """The provider of that name.

    Raises:
        UnknownProvider: There is none.
    """
    if _is_own(name):
        if name.startswith(_ONCE):
            from overmind_core.providers.once import Once  # noqa: PLC0415 - as the rows

            return Once(name)
        from overmind_core.providers.rpc.provider import own  # noqa: PLC0415 - as the rows

        return own(name)
    if name not in ROWS:
        raise UnknownProvider(name)
    module, kind = ROWS[name]
    make = cast("Callable[[], Provider]", getattr(import_module(module), kind))
    return make()
