"""The programs that speak the Agent Client Protocol: what differs between them, as data. Measured with each of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from glob import escape

from overmind_core.providers.base import ReopenedFile, TokensTold

ASK, EDITS, READ_ONLY, ALL = "ask", "edits", "read-only", "all"
"""Words for `--permission-mode` that mean the same with each of these programs."""
OPENING_SECONDS = 60.0
"""Seconds within which a program has to open its conversation."""


class TokensFrom(StrEnum):
    """Where a program tells what a turn has used."""

    QUOTA = "quota"
    """In `_meta.quota` of the reply: all calls of the turn."""
    REPLY = "reply"
    """In `usage` of the reply."""
    CHUNKS = "chunks"
    """In `_meta.usage` of an empty piece of text behind each call."""
    PROCESS = "process"
    """In `usage` of the reply: all that its process has used so far."""


@dataclass(frozen=True, slots=True)
class AcpRow:
    """One program."""

    name: str
    """Of the provider."""
    program: str
    install: str
    arguments: tuple[str, ...]
    """What makes it speak the protocol."""
    tokens: TokensFrom
    modes: Mapping[str, str]
    """A word of ours → the program's mode; it is set where the program is in another one. Modes that are called by
    addresses have the name behind the `#`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    permissions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """A word of ours → variables that have it ask or not, where its modes don't; it goes on in the mode that it has.
    A word of the program's own gets those of `ask`."""
    permission_arguments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """As `permissions`, in arguments."""
    model_option: str | None = None
    """The argument that chooses the model; None: it is chosen once the conversation is open."""
    servers_option: str | None = None
    """The argument that names servers of tools, as JSON or, behind an `@`, a file; None: it is told of them as it opens
    a conversation."""
    tells_tokens: TokensTold = TokensTold.TURNS
    tells_cost: bool = False
    """Whether it tells what the conversation has cost in US dollars."""
    log_in: str = "see the pages of its program"
    """As `Provider.log_in`."""
    tested: str = ""
    """As `Provider.tested`."""
    forks: bool = False
    """Whether it can begin a conversation as a copy of another one, where it announces that."""
    loads: bool = False
    """It tells the conversation once more as it opens it, by `session/load`: all of it before its reply."""
    tells_late: bool = False
    """Of one that `loads`: it tells most of it behind its reply."""
    reopened_file: Callable[[str, Mapping[str, str]], ReopenedFile | None] | None = None
    """As `Provider.reopened_file`."""
    opening_seconds: float = OPENING_SECONDS
    """As `Provider.opening_seconds`."""
    notice: re.Pattern[str] | None = None
    """How a piece of text begins that the program says itself, and not its model; `error`: a turn that ends with it
    has failed, though its reply says nothing of that; `retry`: it tries again, and that is no part of the answer."""


_LONG_ID = re.compile(r"[0-9A-Za-z-]{16,64}")


def _opencode(shell: str, edit: str, **more: str) -> Mapping[str, str]:
    asks = {"bash": shell, "edit": edit, "webfetch": shell, **more}
    return {"OPENCODE_PERMISSION": json.dumps(asks, separators=(",", ":"))}


def _gemini_file(session: str, environ: Mapping[str, str]) -> ReopenedFile | None:
    """Have the file end with other characters of the conversation's id.

    gemini 0.61.0 begins an empty file for each conversation that it opens again: `session-MINUTE-ID.jsonl`, the ID the
    first eight characters of the conversation's. In the minute in which that began it is its own file, and empties it.
    In any other one the next gemini of the project takes the file away, as nothing was said in it, and with it all
    whose names end alike. It finds a conversation by what its file says, whatever that is called.
    """
    home = environ.get("GEMINI_CLI_HOME") or environ.get("HOME")
    if not home or _LONG_ID.fullmatch(session) is None:
        return None
    before, after = (f"-{part}.jsonl" for part in (session[:8], session[-8:]))
    return ReopenedFile(f"{escape(home)}/.gemini/tmp/*/chats/session-*{before}", before, after)


GEMINI = AcpRow(
    name="gemini",
    program="gemini",
    tested="0.61.0",
    install="npm install -g @google/gemini-cli",
    log_in="run gemini in a terminal and type /auth",
    arguments=("--acp",),
    tokens=TokensFrom.QUOTA,
    modes={ASK: "default", EDITS: "autoEdit", READ_ONLY: "plan", ALL: "yolo"},
    environment={"GEMINI_CLI_NO_RELAUNCH": "true"},  # else it is two processes, and takes twice the memory
    model_option="--model",
    loads=True,
    tells_late=True,
    reopened_file=_gemini_file,
)
OPENCODE = AcpRow(
    name="opencode",
    program="opencode",
    tested="1.18.33",
    install="npm install -g opencode-ai",
    log_in="run opencode auth login in a terminal",
    arguments=("acp",),
    tokens=TokensFrom.REPLY,
    tells_tokens=TokensTold.PART,  # its last call's
    modes={READ_ONLY: "plan"},
    environment={"OPENCODE_DISABLE_AUTOUPDATE": "true"},
    opening_seconds=180.0,  # its first start takes up to 28 without a network, and longer on a busy machine
    permissions={
        ASK: _opencode("ask", "ask"),  # by itself it asks nothing
        EDITS: _opencode("ask", "allow"),
        READ_ONLY: _opencode("ask", "deny"),
        # The last three it asks for by itself: `read` of an .env.
        ALL: _opencode("allow", "allow", external_directory="allow", doom_loop="allow", read="allow"),
    },
    forks=True,
    tells_cost=True,
)
QWEN = AcpRow(
    name="qwen",
    program="qwen",
    tested="0.24.4",
    install="npm install -g @qwen-code/qwen-code",
    log_in="run qwen in a terminal and type /auth",
    arguments=("--acp",),
    tokens=TokensFrom.CHUNKS,
    tells_tokens=TokensTold.CALLS,
    modes={ASK: "default", EDITS: "auto-edit", READ_ONLY: "plan", ALL: "yolo"},
    environment={"QWEN_CODE_NO_RELAUNCH": "true"},  # else it is one process more: 190 MB, and twice the start
    model_option="--model",
)
_COPILOT_SAYS = re.compile(
    r"(?P<retry>Info: Request failed due to .{1,200}\. Retrying\.\.\.\s*\Z)|(?:Info|Warning): |Error: (?P<error>(?:"
    r"[45]\d\d |Authentication failed with provider |Model '.*' not found |Could not connect to "
    r"|The provider rejected |Failed to get response from the AI model).*)?",
    re.DOTALL,
)
COPILOT = AcpRow(
    name="copilot",
    program="copilot",
    tested="1.0.102",
    install="npm install -g @github/copilot",
    log_in="run copilot login in a terminal",
    arguments=("--acp",),
    tokens=TokensFrom.PROCESS,
    modes={ASK: "agent", EDITS: "agent", READ_ONLY: "plan", ALL: "agent"},
    environment={"COPILOT_AUTO_UPDATE": "false"},
    permissions={ASK: {"COPILOT_ALLOW_ALL": "false"}, ALL: {"COPILOT_ALLOW_ALL": "true"}},
    permission_arguments={EDITS: ("--allow-tool=write",), ALL: ("--allow-all",)},
    model_option="--model",
    servers_option="--additional-mcp-config",
    loads=True,
    notice=_COPILOT_SAYS,
)
