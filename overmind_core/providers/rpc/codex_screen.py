"""A `codex` on a terminal: how it is started there, what its hooks tell, and what its screen shows. Pure.

Its command line has no word for "ask before each command", but a thread keeps that where `app-server` has opened it so:
the opener does, and becomes the full-screen program, which goes on with the thread. Its hooks speak Claude's dialect. A
hook that is held hides the dialog, so ours returns at once, and the dialog's own keys answer, while the whole of what
was asked stands on the screen. Found by experiment with 0.171.0.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    AskCancelled,
    Asked,
    Behaviour,
    Decision,
    Echoed,
    ModelCalled,
    ProgramLeft,
    SessionNamed,
    TokenUsage,
    ToolReturned,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.agents.permission import FILES, SHELL
from overmind_core.domain.text.cells import width
from overmind_core.providers.base import SESSION_WORD, Launch
from overmind_core.providers.lines import (
    Object,
    count_at,
    digest,
    moment,
    object_at,
    one_line,
    read_object,
    text_at,
)
from overmind_core.providers.rpc.codex_items import call_of
from overmind_core.providers.rpc.tools import EDIT, Tool, tool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from overmind_core.providers.base import LaunchRequest

NOTE = "A person uses this conversation in a terminal now."
"""The first item of a thread that has none yet: without one it is not stored, and can't be gone on with."""
SINGLE = "--no-daemon"
"""Keeps its work in our process tree: else a server that all codex of a home share does it, and outlives the screen."""
EVENTS: Mapping[str, str] = {
    "SessionStart": "session_start",
    "UserPromptSubmit": "user_prompt_submit",
    "PreToolUse": "pre_tool_use",
    "PermissionRequest": "permission_request",
    "PostToolUse": "post_tool_use",
    "Stop": "stop",
    "Interrupt": "interrupt",
    "SessionEnd": "session_end",
}
"""The events that call our hook → their names where it keeps which hooks are trusted."""
HOOK_SECONDS = 10
"""Seconds that our hook may take."""
SHORT = {"Interrupt": 3, "SessionEnd": 3}
"""The same for those events for which the program grants no more."""
OPENED = "opened"
"""The source of the event with which the opener tells the thread's name."""
RESUMED = "resume"
"""The source of the program's own, as it goes on with that thread: the opener's may have been lost."""
_SETTINGS = frozenset({"-c", "--config", "--enable", "--disable"})
"""Arguments of a person's that its server takes as well; each has a value."""

# how it is started


def launch_on_screen(start: LaunchRequest, program: Sequence[str], settings: Sequence[str], opening: str) -> Launch:
    """How the opener starts it.

    Args:
        start: The run.
        program: Its argv, without arguments for this run.
        settings: Arguments for its server and its screen.
        opening: The lines that open the thread.
    """
    agent = start.agent
    screen = [*program, "resume", SESSION_WORD, SINGLE, *settings, *hook_arguments(start.hook)]
    screen += ["--model", agent.model] if agent.model else []
    screen += agent.arguments
    if start.first_prompt is not None:
        screen += ["--", start.first_prompt]
    plan = {
        "provider": "codex",
        "session": start.session,
        "resume": start.resume,
        "fork": start.fork,
        "permission_mode": agent.permission_mode,
        "server": [*program, "app-server", *settings, *_settings(agent.arguments)],
        "opening": opening,
        "screen": screen,
        "hook": list(start.hook),
    }
    return Launch(argv=(*start.opener, "{file:opening}"), files={"opening": json.dumps(plan)})


def hook_arguments(hook: Sequence[str]) -> Iterator[str]:
    """Arguments that have each event call our hook, and have it trust these hooks, and no others.

    The hash of a hook is the one that it writes down itself once a person has trusted it.
    """
    from hashlib import sha256  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who have agents

    states = []
    for event, name in EVENTS.items():
        seconds = SHORT.get(event, HOOK_SECONDS)
        handler: dict[str, str | int] = {"type": "command", "command": shlex.join(hook), "timeout": seconds}
        yield from ("-c", f"hooks.{event}=[{{hooks=[{_toml(handler)}]}}]")
        identity = {"event_name": name, "hooks": [{**handler, "async": False}]}
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        trusted = f"sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
        states.append(f"{json.dumps(f'/<session-flags>/config.toml:{name}:0:0')}={_toml({'trusted_hash': trusted})}")
    yield from ("-c", f"hooks.state={{{','.join(states)}}}")


def _toml(table: Mapping[str, str | int]) -> str:
    """The table as TOML has it in one line."""
    return "{" + ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in table.items()) + "}"


def _settings(arguments: Sequence[str]) -> Iterator[str]:
    given = iter(arguments)
    for one in given:
        if one in _SETTINGS:
            yield from (one, next(given, ""))
        elif one.partition("=")[0] in _SETTINGS or (one.startswith("-c") and not one.startswith("--")):
            yield one


_PERMISSIONS = frozenset({"approval_policy", "approvals_reviewer", "sandbox_mode", "default_permissions", "hooks"})
"""Settings that, as arguments, take the place of what the thread was opened with, or of our hooks."""


_SHORT_PERMISSIONS = frozenset({"-a", "-s"})


def override_of(arguments: Sequence[str]) -> str | None:
    """The option or the setting by which a person's arguments choose permissions; None: they choose none."""
    short = next((one[:2] for one in arguments if one[:2] in _SHORT_PERMISSIONS and len(one) > len("-x")), None)
    if short is not None:
        return short
    given = [*_settings(arguments)]
    values = [one.removeprefix("--config=").removeprefix("-c").removeprefix("=") for one in given]
    names = [value.partition("=")[0].strip().split(".")[0].strip("\"'") for value in values]
    return next((name for name in names if name in _PERMISSIONS), None)


# what its hooks tell


def read_event(payload: Object) -> Sequence[AgentFact]:
    """What one event means; an unknown one means nothing."""
    convert = _EVENTS.get(text_at(payload, "hook_event_name"))
    return tuple(convert(payload)) if convert is not None else ()


def _session_start(payload: Object) -> Iterator[AgentFact]:
    """The thread's name: told by the opener before the screen is there, and by the program with its first prompt."""
    source = text_at(payload, "source")
    mode = text_at(payload, "permission_mode") if source == OPENED else ""
    if session := text_at(payload, "session_id"):
        begins = source in {OPENED, RESUMED}
        yield SessionNamed(session, text_at(payload, "model") or None, mode or None, begins=begins)


def _prompt(payload: Object) -> Iterator[AgentFact]:
    if session := text_at(payload, "session_id"):
        yield SessionNamed(session, text_at(payload, "model") or None)
    yield Echoed(text_at(payload, "prompt"))


def _before_tool(payload: Object) -> Iterator[AgentFact]:
    yield _tool(payload).called


def _after_tool(payload: Object) -> Iterator[AgentFact]:
    yield AskCancelled(_request_of(payload))
    answer = payload.get("tool_response")
    yield ToolReturned(text_at(payload, "tool_use_id"), failed=False, digest=digest(answer))


def _permission(payload: Object) -> Iterator[AgentFact]:
    tool = _tool(payload)
    yield Asked(_request_of(payload), AgentNeed.PERMISSION, tool.name, tool.summary, tool.subject)


def _stop(payload: Object) -> Iterator[AgentFact]:
    text = text_at(payload, "last_assistant_message")
    yield TurnEnded(TurnResult(ok=True, text=text, raw={"status": "completed", "result": text}))


def _interrupt(payload: Object) -> Iterator[AgentFact]:
    del payload
    yield TurnEnded(TurnResult(ok=False, reason="interrupted"))


def _session_end(payload: Object) -> Iterator[AgentFact]:
    yield ProgramLeft(text_at(payload, "reason"))


_EVENTS: Mapping[str, Callable[[Object], Iterator[AgentFact]]] = {
    "SessionStart": _session_start,
    "UserPromptSubmit": _prompt,
    "PreToolUse": _before_tool,
    "PermissionRequest": _permission,
    "PostToolUse": _after_tool,
    "Stop": _stop,
    "Interrupt": _interrupt,
    "SessionEnd": _session_end,
}


def _request_of(payload: Object) -> str:
    """A name for a question, for the program gives it none: the tool's return has the same."""
    content = [text_at(payload, "turn_id"), text_at(payload, "tool_name"), payload.get("tool_input")]
    return digest(json.dumps(content, sort_keys=True, default=str))


def _tool(payload: Object) -> Tool:
    """The call that an event is about, in the words of its pipes."""
    name, given, folder = text_at(payload, "tool_name"), object_at(payload, "tool_input"), text_at(payload, "cwd")
    call: dict[str, Any] = {"toolCallId": text_at(payload, "tool_use_id")}
    if name == "apply_patch":
        item = {"type": "fileChange", "status": "inProgress", "changes": [*_changes(text_at(given, "command"), folder)]}
        return tool_of({**call_of(item, folder, is_over=False), **call}, folder)
    kind = "execute" if name == SHELL else "other"
    return tool_of({**call, "kind": kind, "title": name, "rawInput": given}, folder)


_FILE = re.compile(r"\*\*\* (Add|Update|Delete) File: (.+)")
_MOVE = re.compile(r"\*\*\* Move to: (.+)")
_END = "*** End"
_KINDS = {"Add": "add", "Update": "update", "Delete": "delete"}


def _changes(patch: str, folder: str) -> Iterator[dict[str, Any]]:
    """The changes of files that a patch makes, as an item of a thread tells them."""
    change: dict[str, Any] = {}
    for line in patch.split("\n"):
        if found := _FILE.fullmatch(line):
            if change:
                yield change
            kind = _KINDS[found[1]]
            change = {"path": _absolute(found[2], folder), "kind": {"type": kind}, "diff": ""}
        elif change and (moved := _MOVE.fullmatch(line)):
            change["kind"]["move_path"] = _absolute(moved[1], folder)
        elif change and not line.startswith(_END):
            change["diff"] += (line[1:] if change["kind"]["type"] == "add" else line) + "\n"
    if change:
        yield change


def _absolute(path: str, folder: str) -> str:
    return path if path.startswith("/") or not folder else f"{folder.rstrip('/')}/{path}"


_SUFFIX = ".jsonl"
_COUNT = b'"token_count"'


def _model_called(line: bytes, since: float) -> ModelCalled | None:
    """The call of its model that a line of a rollout tells of; None for other lines, and for those before `since`."""
    found = read_object(line)
    if isinstance(found, str):
        return None
    told, written = object_at(found, "payload"), text_at(found, "timestamp")
    used = object_at(object_at(told, "info"), "last_token_usage")
    if text_at(told, "type") != "token_count" or not used or moment(written) < since:
        return None
    cached = count_at(used, "cached_input_tokens")
    fresh = max(count_at(used, "input_tokens") - cached, 0)
    usage = TokenUsage(fresh, count_at(used, "output_tokens"), cached, count_at(used, "cache_write_input_tokens"))
    return ModelCalled(f"{written} {count_at(found, 'ordinal')}", usage, None)


def hook_answer(decision: Decision) -> dict[str, Any]:
    """Return what the hook of a question prints to answer it, in Claude's dialect, without its later terms."""
    denied = decision.behaviour is Behaviour.DENY
    said: dict[str, Any] = {"behavior": "deny" if denied else "allow"}
    if denied:
        said["message"] = decision.message or "A rule of Overmind denies this."
    return {"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": said}}


# what its screen shows

_MARK = "›"
_TYPED = re.compile(rf"(?:({_MARK})|(!)) (.*)")
"""The first line of the prompt; behind a `!` stands a command for a shell."""
_OPTION = re.compile(rf"[{_MARK}> ] (\d)\. (.*)")
_FOOTER = re.compile(r"  \S.* · ")
"""Below the prompt: the model and the folder, and a hint."""
_MOST_FOOTERS = 5
_FOLDED = 1000
"""A paste of more characters is one line of the prompt, which tells how many they are."""
_MOST_CELLS = 300
"""Of a message that the prompt of a small screen shows whole, with its footer."""
_MOST_ROWS = 4
"""The same, behind a `!`."""
_UNDER_WAY = re.compile(r"[•◦] .*esc to interrupt\)")
_TO_QUEUE = "  tab to queue message"
_INTERRUPTED = "■ Conversation interrupted"
_ERROR = "■ "
_SPEAKS = ("›", "•", "◦", "✔", "✗")
"""Beginnings of what is said below an error, in another turn."""
_ENTERS = re.compile(r"  ?(?:Press )?enter (?:to )?(?:continue|confirm|select)\b", re.IGNORECASE)
"""The last line of a page that waits for a key."""
_RUNS, _CHANGES = "Would you like to run the following command?", "Would you like to make the following edits?"
_YES = re.compile(r"Yes, proceed \(y\)")
_NO = re.compile(r"No, and tell Codex what to do differently \(esc\)")
_YES_KEY, _NO_KEY = b"y", b"\x1b"
_COMMAND = "  $ "
_DESTINATION = "Destination:"
_CUT = re.compile(r"  \[… (\d+) lines\] \^a view all")
"""Stands in a dialog of which not all fits: how many lines it has."""
_PAGES: Mapping[str, tuple[str, str]] = {
    "Trust this folder?": ("trust", "trust this folder?"),
    "Hooks need review": ("hooks", "hooks need review"),
    "Choose how you want to use Codex.": ("login", "log in"),
}
"""Words of a page → its name in events, and its summary."""


class _Dialog(NamedTuple):
    """A dialog about a permission; `body`: the lines between its title and its options."""

    title: str
    body: Sequence[str]


class CodexScreen:
    """The part of the provider that knows its screen."""

    interrupt_keys = (b"\x1b",)
    exit_keys = b"/quit"
    shows_held = False

    def hook(self, payload: Mapping[str, Any]) -> Sequence[AgentFact]:
        """A hook event."""
        return read_event(payload)

    def conversation_path(self, payload: Mapping[str, Any]) -> str | None:
        """Its rollout."""
        path, session = text_at(payload, "transcript_path"), text_at(payload, "session_id")
        return path if path.startswith("/") and session and path.endswith(f"-{session}{_SUFFIX}") else None

    def sub_agent_folder(self, path: str) -> str:
        """A folder that is not there: those of its helpers stand beside it, under names of their own."""
        return path.removesuffix(_SUFFIX)

    def figure(self, line: bytes, since: float) -> ModelCalled | None:
        """A line of the rollout."""
        return _model_called(line, since) if _COUNT in line else None

    def hook_answer(self, question: Asked, decision: Decision) -> Mapping[str, Any] | None:
        """The decision of a rule of ours: no dialog is shown, and the turn goes on."""
        del question
        return hook_answer(decision)

    def title(self, title: str) -> Sequence[AgentFact]:
        """Nothing: it reports its state."""
        del title
        return ()

    def dialog(self, lines: Sequence[str]) -> Asked | None:
        """A page that waits for a key."""
        end = next((line for line in reversed(lines) if line.strip()), "")
        if not _ENTERS.match(end) or _typed(lines) is not None:
            return None
        text = "\n".join(line.rstrip() for line in lines).strip("\n")
        known = next((page for words, page in _PAGES.items() if words in text), None)
        asks = _permission_dialog(lines)
        said = asks.title if asks is not None else one_line(text)
        name, summary = known or ("page", f"answer it on its screen: {said}")
        return Asked(name, AgentNeed.SETUP, "", summary, {"dialog": name, "text": text})

    def is_argument(self, text: str) -> bool:
        """Anything but a command for a shell, which runs at once."""
        return not text.lstrip().startswith("!")

    def pastes(self, text: str) -> Sequence[str]:
        """Between blanks, which it drops: the first keeps it from being a command, the last closes a list of files.

        A text that the screen may not show whole gets more of them, so that one line stands for it; as many as tell it
        from others. Behind a `!` the program drops none of such a line's, so that a few rows go without.
        """
        piece = f" {text} ".replace("\r\n", "\n")
        most = _MOST_ROWS if text.lstrip().startswith("!") else 1
        is_small = len(text.strip().splitlines()) <= most and width(text) <= _MOST_CELLS
        if is_small:
            return (piece,)
        return (piece.ljust(_FOLDED + 1 + crc32(piece.encode("utf-8", "replace")) % _FOLDED),)

    def draft_of(self, text: str) -> str:
        """The line that stands for a long one, else the text."""
        (piece,) = self.pastes(text)
        return f"[Pasted Content {len(piece)} chars]" if len(piece) > _FOLDED else text

    def is_idle(self, lines: Iterable[str]) -> bool:
        """Whether its prompt is there, and nothing says that a turn is under way."""
        shown = list(lines)
        return _typed(shown) is not None and not any(map(_says_work, shown))

    def is_ready(self, lines: Iterable[str]) -> bool:
        """Whether its prompt is there and empty."""
        return _typed(list(lines)) == ""

    def draft(self, lines: Iterable[str]) -> str:
        """What stands in its prompt."""
        return _typed(list(lines)) or ""

    def was_interrupted(self, lines: Sequence[str]) -> bool:
        """Whether that stands right above its prompt."""
        at = _prompt_at(lines)
        said = [line for line in lines[: at or 0] if line.strip()]
        return bool(said) and said[-1].startswith(_INTERRUPTED)

    def keys_for(self, lines: Sequence[str], question: Asked, decision: Decision) -> bytes | None:
        """The key of the plain yes or no, while the dialog shows all that the question is about, and nothing else."""
        asks = _permission_dialog(lines)
        if asks is None or not _shows(asks, question):
            return None
        return _NO_KEY if decision.behaviour is Behaviour.DENY else _YES_KEY


def _prompt_at(lines: Sequence[str]) -> int | None:
    """The line in which the prompt begins; None when the screen's last such line is no prompt."""
    at = next((at for at in range(len(lines) - 1, -1, -1) if _TYPED.match(f"{lines[at]} ")), None)
    if at is None or _OPTION.match(lines[at]):
        return None
    below = lines[at + 1 :]
    footers = [line for line in below[_prompt_end(below) :] if line.strip()]
    if not footers or len(footers) > _MOST_FOOTERS or not _FOOTER.match(footers[0]):
        return None
    return at


def _prompt_end(below: Sequence[str]) -> int:
    """The line behind the prompt: the last empty one right above a footer, for what was typed may have such itself."""
    empty = [index for index, line in enumerate(below) if not line.strip()]
    typed = next((index for index, line in enumerate(below) if line.strip() and not line.startswith("  ")), len(below))
    ends = [index for index in empty if index < typed and any(map(_FOOTER.match, below[index + 1 : index + 2]))]
    return ends[-1] if ends else next(iter(empty), len(below))


def _typed(lines: Sequence[str]) -> str | None:
    """What stands in the prompt; None when that is not on the screen."""
    at = _prompt_at(lines)
    if at is None:
        return None
    first = _TYPED.match(f"{lines[at]} ")
    assert first is not None
    below = lines[at + 1 :]
    below = below[: _prompt_end(below)]
    return " ".join([f"{first[2] or ''}{first[3].strip()}", *(line.strip() for line in below)]).strip()


def failure_words(lines: Sequence[str]) -> str:
    """The error right above the prompt; "" where there is none, or a person has interrupted the turn."""
    at = _prompt_at(lines) or 0
    begin = next((index for index in range(at - 1, -1, -1) if lines[index].startswith(_ERROR)), None)
    said = [] if begin is None else [line.strip() for line in lines[begin:at] if line.strip()]
    is_last = begin is not None and not any(line.startswith(_SPEAKS) for line in lines[begin + 1 : at])
    words = " ".join(said).removeprefix(_ERROR)
    return words if is_last and not words.startswith(_INTERRUPTED.removeprefix(_ERROR)) else ""


def _says_work(line: str) -> bool:
    return line.startswith(_TO_QUEUE) or _UNDER_WAY.match(line) is not None


def _permission_dialog(lines: Sequence[str]) -> _Dialog | None:
    """The dialog about a permission at the end of the screen; None when it is another one, or there is none."""
    end = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].strip()), 0)
    if not lines or not lines[end].strip().startswith("Press enter to confirm"):
        return None
    options = [(at, found) for at in range(end) if (found := _OPTION.match(lines[at]))]
    first = max((at for at, found in options if found[1] == "1"), default=None)
    title = max((at for at in range(first or 0) if lines[at].strip() in {_RUNS, _CHANGES}), default=None)
    if first is None or title is None:
        return None
    labels = [found[2].strip() for at, found in options if at >= first]
    if not _YES.fullmatch(labels[0]) or not _NO.fullmatch(labels[-1]):
        return None
    return _Dialog(lines[title].strip(), lines[title + 1 : first])


def _shows(asks: _Dialog, question: Asked) -> bool:
    """Whether a dialog is about this question: the whole command, or each file.

    Of a command that does not fit it shows the beginning: the caller checks that no other question begins so.
    """
    given = question.subject
    cut = next(((at, int(found[1])) for at, line in enumerate(asks.body) if (found := _CUT.match(line))), None)
    if question.tool == SHELL and asks.title == _RUNS:
        at = next((at for at, line in enumerate(asks.body) if line.startswith(_COMMAND)), None)
        command = text_at(given, "command")
        if at is None or not command.strip():
            return False
        if cut is None:
            return _flat("".join(asks.body[at:])) == _flat(f"${command}")
        is_long = cut[1] > command.count("\n")
        return is_long and _flat(f"${command}").startswith(_flat("".join(asks.body[at : cut[0]])))
    if question.tool == EDIT and asks.title == _CHANGES and cut is None:
        _, *shown = _flat("".join(asks.body)).split(_DESTINATION)
        paths = {_flat(path) for path in _paths(given)}
        return bool(paths) and set(shown) == paths
    return False


def _paths(given: Mapping[str, Any]) -> Iterator[str]:
    files = given.get(FILES)
    for one in files if isinstance(files, list) else [given]:
        yield one if isinstance(one, str) else text_at(one, "file_path")


def _flat(text: str) -> str:
    """Without what wrapping adds."""
    return "".join(text.split())
