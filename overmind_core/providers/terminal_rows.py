"""The looks of full-screen programs: for each its states, its empty prompt, and the keys that interrupt it. Pure.

A title is written by the program to tell its state, and can be relied on inside a conversation. A screen is a picture
of anything, also of an answer that quotes these very words: what is read there is a guess. So its rules are
anchored, look at its last lines alone, and those for dialogs come last: a dialog takes the prompt's place.

Source: gemini 0.61.0, qwen 0.24.4, opencode 1.18.33, copilot 1.0.102, cline 3.0.65, claude 2.1.328, codex 0.171.0,
pi 1.5.2, at 120x40 and 80x24.
"""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent import ActivityKind, ActivitySource
from overmind_core.domain.agents.conversation import same_prompt
from overmind_core.domain.agents.terminal_rules import WIDEST, Rule
from overmind_core.domain.agents.terminal_words import (
    SHELLS,
    ConversationWords,
    OwnTerminal,
    is_alone,
    joined,
    program_place,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.domain.missions.mission import Definition

_CLINE_PROMPT = r"^ *❯ (Ask anything|What can I do)|^❯ "
"""The line of its prompt, which is gone while a dialog is open; what was said before stands one cell to the right."""
_PROMPT_LINES = 12
"""Lines at the end of the screen that hold the prompt."""
_WHOLE = 400
"""More lines than a screen has."""
_SPINNER = "[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]"


class Told(NamedTuple):
    """A state, and who tells it."""

    state: ActivityKind
    source: ActivitySource


_WORKING, _WAITING, _IDLE, _LIMITED = (
    ActivityKind.WORKING, ActivityKind.WAITING, ActivityKind.IDLE, ActivityKind.LIMITED,
)  # fmt: skip

ROWS: Mapping[str, tuple[Rule, ...]] = {
    "gemini": (
        Rule(_WAITING, r"^✋"),
        Rule(_WORKING, r"^✦"),
        Rule(_IDLE, r"^◇", also=r"^ > "),  # its title is the same while a dialog is open before the first message
        Rule(_WAITING, r"^[│ ]*● \d\. ", 16),
        Rule(_WORKING, rf"^ {_SPINNER} .*\(esc to cancel", 12),
        Rule(_IDLE, r"^ >   Type your message", 8),
    ),
    "qwen": (
        Rule(_WAITING, r"^✳"),
        Rule(_WORKING, r"^◐"),
        Rule(_IDLE, r"^Qwen - ", also=r"^> "),  # as above
        Rule(_WAITING, r"^ *│ › |^ *Waiting for user confirmation", 20),
        Rule(_WORKING, rf"^ +{_SPINNER} .*esc to cancel\)", 8),
        Rule(_IDLE, r"^>   Type your message", 6),
    ),
    "opencode": (
        Rule(_LIMITED, r"retrying in .* esc interrupt$", 3),
        Rule(_WORKING, r"esc (again to )?interrupt", 3),
        # In a narrow terminal its last line is wrapped; behind a long folder, in a wide one, too.
        Rule(_WORKING, r"^ *[■⬝]{8} ", 6),
        Rule(_IDLE, r"ctrl\+p( commands)?$", 6),
        Rule(_WAITING, r"^ *┃ +△ Permission required$|^ *┃ +↑↓ select .*enter submit +esc dismiss", 16),
    ),
    "copilot": (
        Rule(_WORKING, r"^ [◉◎●○] (Working|Cancelling|Thinking)", 3),
        Rule(_IDLE, r"· (/ commands|@ files)\b|· Manual Approval ·", 3),
        Rule(_WAITING, r"^[│ ]*↑/↓ .*enter to (select|submit|confirm)|^ *Copilot needs information", 14),
    ),
    "cline": (
        # The mark of the answer that it writes stands before the first line of it that is in sight.
        Rule(_WORKING, rf"^ ?{_SPINNER} ", _WHOLE, also=_CLINE_PROMPT),
        Rule(_IDLE, _CLINE_PROMPT, 8),
        Rule(_WAITING, r"^ *Cline (needs permission|is asking)|^ *Press .* any other key to close$", 14),
    ),
    # These report their state: what is here is for the dialogs before they do.
    "claude": (Rule(_WAITING, r"^ ?(Enter to (confirm|select)|.*Esc to cancel)", 4, also=r"^[\s│]*❯ (\d\.|Yes|No)"),),
    "codex": (Rule(_WAITING, r"^ *([Pp]ress enter to (confirm|continue)|enter select .* esc )", 6),),
    "pi": (Rule(_WAITING, r"^ *↑↓ navigate .*[Ee]nter (to )?select", 6),),
}
"""The program's name → its rules; the first that matches counts."""

_ESCAPE = b"\x1b"
INTERRUPTS: Mapping[str, tuple[bytes, ...]] = {
    **dict.fromkeys(("claude", "codex", "gemini", "qwen", "pi", "cline"), (_ESCAPE,)),
    **dict.fromkeys(("opencode", "copilot"), (_ESCAPE, _ESCAPE)),
}
"""The program's name → the keys that end its turn. Ctrl-C ends several of them, and not their turn alone."""

UNASKED: Mapping[str, str] = {
    "pi": "pi runs every command without asking.",
    "opencode": "opencode runs commands without asking, unless its settings have it ask. --provider opencode asks.",
}
"""The program's name → a warning for who starts it on its terminal."""

CURSOR = "\u23b8"
"""Stands for the cursor in a pattern."""
_TAKEN_LINES = 8
"""Lines at the end of the screen above an empty prompt in which a question may stand that takes the next key."""
_MOST_PROMPT = 60
"""Lines that what was put back into a prompt may take."""


class Prompt(NamedTuple):
    """The look of a program's prompt."""

    empty: str
    """The end of the line above the cursor, then the cursor's line, with `CURSOR` in it."""
    mark: str = ""
    """The beginning of its first line, or of each; "": there is none."""
    taken: str = ""
    """A line above it by which a key is for something else."""
    ready: str = ""
    """A person's own pattern of a line of the screen while the prompt is empty: then `empty` does not count."""


PROMPTS: Mapping[str, Prompt] = {
    "claude": Prompt(rf"─\n❯[ \u00a0]?{CURSOR}", "❯"),
    "cline": Prompt(rf"─\n *❯ ?{CURSOR}", "❯"),
    "codex": Prompt(rf"\A\n› ?{CURSOR}(?! ?\d\. )", "›"),
    "copilot": Prompt(rf"▄\n┃ *{CURSOR}", "┃"),
    "gemini": Prompt(rf"▄\n > ?{CURSOR}", " >"),
    "opencode": Prompt(rf"┃ *\n *┃ *{CURSOR}", "  ┃"),
    "pi": Prompt(rf"─\n{CURSOR}"),
    "qwen": Prompt(rf"─\n> ?{CURSOR}", ">", taken=r"^ *●\ufe0e? How is Qwen doing this session"),
}
"""By the name of the program."""

_PROMPT_OPTIONS = ("-p", "--print", "--prompt", "-i", "--prompt-interactive", "-h", "--help", "-v", "--version")
"""Options behind which a prompt stands, or no screen is shown."""


def _options(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_UUID = "([0-9a-f]{8}-[0-9a-f-]{27})"
_BEGUN = ("--session-id", "{session}")
CONVERSATIONS: Mapping[str, ConversationWords] = {
    "cline": ConversationWords(
        resume=("--id", "{session}"),
        ends=(r"(?<!\S)cline --id (\S+)",),
        records=("~/.cline/data/sessions/*/*.json",),
        choices=("--id", "-z", "--zen", "--json", "--acp", "--help", "--version"),
        values=_options("""
            -c --cwd --auto-approve --compaction -P --provider -k --key -m --model -s --system --retries -t --timeout
            --config --data-dir --hooks-dir
        """),
    ),
    "codex": ConversationWords(
        resume=("resume", "{session}"),
        fork=("fork", "{session}"),
        ends=(rf"(?<!\S)codex resume {_UUID}",),
        choices=("--remote", "--help", "--version"),
        gone=r"No saved session found|no rollout found",
        values=_options("""
            -c --config --enable --disable --remote-auth-token-env -m --model --local-provider -p --profile -s
            --sandbox -C --cd --add-dir -a --ask-for-approval
        """),
    ),
    "copilot": ConversationWords(
        start=_BEGUN,
        resume=_BEGUN,
        ends=(rf"(?<!\S)copilot --resume={_UUID}",),
        choices=(
            "-r", "--resume", "--continue", "--session-id", "--connect", "--acp", "--interactive", *_PROMPT_OPTIONS,
        ),
        values=_options("""
            -C --model --reasoning-effort --context --auto-tier --agent -n --name --log-dir --log-level
            --extension-sdk-path --stream --add-dir --disable-mcp-server --enable-mcp-server --add-github-mcp-toolset
            --add-github-mcp-tool --plugin-dir --additional-mcp-config --mcp-github-auth --allow-tool --deny-tool
            --available-tools --excluded-tools --secret-env-vars --allow-url --deny-url --max-autopilot-continues
            --mode --max-ai-credits --usage-output-file
        """),
    ),
    "gemini": ConversationWords(
        start=_BEGUN,
        resume=("--resume", "{session}"),
        choices=(
            "-r", "--resume", "--session-file", "--session-id", "--list-sessions", "--delete-session", "--acp",
            *_PROMPT_OPTIONS,
        ),
        gone=r"No previous sessions found|Invalid session identifier",
        values=_options("""
            -m --model --approval-mode --policy --admin-policy --allowed-mcp-server-names --allowed-tools -e
            --extensions --include-directories
        """),
    ),
    "opencode": ConversationWords(
        resume=("-s", "{session}"),
        # Its `--fork` shows a prompt before the copy is there, and drops what is typed until then.
        ends=(r"(?<!\S)opencode -s (ses_\w+)",),
        choices=("-c", "--continue", "-s", "--session", "--fork", *_PROMPT_OPTIONS),
        gone=r"Session not found",
        values=_options("--log-level --port --hostname --mdns-domain --cors -m --model --agent --replay-limit"),
    ),
    "pi": ConversationWords(
        start=_BEGUN,
        resume=("--session", "{session}"),
        fork=("--fork", "{session}", "--session-id", "{new}"),
        ends=(r"(?<!\S)pi --session (\S+)",),
        choices=(
            "-c", "--continue", "-r", "--resume", "--session", "--session-id", "--fork", "--no-session", "--mode",
            *_PROMPT_OPTIONS,
        ),
        gone=r"No session found matching",
        values=_options("""
            --provider --model --api-key --system-prompt --append-system-prompt --session-dir -n --name --models -t
            --tools -xt --exclude-tools --thinking -e --extension --skill --prompt-template --theme --use-theme
            --tui-mode
        """),
    ),
    "qwen": ConversationWords(
        start=_BEGUN,
        resume=("--resume", "{session}"),
        fork=("--resume", "{session}", "--fork-session"),
        ends=(rf"(?<!\S)qwen --resume {_UUID}",),
        records=("~/.qwen/projects/*/chats/*.runtime.json",),
        choices=("-c", "--continue", "-r", "--resume", "--session-id", "--fork-session", "--acp", *_PROMPT_OPTIONS),
        gone=r"No saved session found",
        by_folder=True,
        values=_options("""
            --telemetry-target --telemetry-otlp-endpoint --telemetry-otlp-protocol --telemetry-outfile --proxy -m
            --model --fallback-model --system-prompt --append-system-prompt --output-style --sandbox-image
            --approval-mode --allowed-mcp-server-names --mcp-config --allowed-tools -e --extensions
            --include-directories --add-dir --openai-logging-dir --openai-api-key --openai-base-url --json-file
            --max-session-turns --max-wall-time --max-tool-calls --max-subagent-depth --core-tools --exclude-tools
            --disabled-slash-commands --auth-type
        """),
    ),
}  # fmt: skip
"""The program's name → the words by which it begins, resumes and copies a conversation."""


def conversation_words(definition: Definition, own: Mapping[str, OwnTerminal]) -> ConversationWords | None:
    """The words of the program that a session runs on its terminal, a person's `own` first.

    None: it has none, it is no such session, or its command line does more than to name it.
    """
    if not definition.has_terminal_input:
        return None
    words = words_for(program_of(definition.argv), own)
    has_words = bool(words.start or words.resume)
    return words if has_words and is_alone(definition.argv, words) else None


def words_for(program: str, own: Mapping[str, OwnTerminal]) -> ConversationWords:
    """The words of a program by its name, a person's `own` first."""
    return joined(own.get(program, _NOTHING).words, CONVERSATIONS.get(program, ConversationWords()))


_NOTHING = OwnTerminal()


def rules_of(definition: Definition, own: Mapping[str, tuple[Rule, ...]]) -> tuple[Rule, ...]:
    """The rules of the program that a mission runs, a person's `own` first; () where nothing is known of it."""
    return rules_for(program_of(definition.argv), own)


def rules_for(program: str, own: Mapping[str, tuple[Rule, ...]]) -> tuple[Rule, ...]:
    """The rules of a program by its name or path."""
    name = program.rpartition("/")[2]
    return (*own.get(name, ()), *ROWS.get(name, ()))


def interrupt_keys(definition: Definition, own: Mapping[str, tuple[bytes, ...]]) -> tuple[bytes, ...]:
    """The keys that end the turn of the program that a mission runs, by a person's `own` word first; () for none."""
    name = program_of(definition.argv)
    return own.get(name) or INTERRUPTS.get(name, ())


def warning(command: str | Sequence[str]) -> str | None:
    """The warning for who starts a command on a terminal, if one is due; `command`: words, or a shell's script."""
    return UNASKED.get(program_of(["sh", "-c", command] if isinstance(command, str) else command))


def prompt_of(definition: Definition, own: Mapping[str, OwnTerminal]) -> Prompt | None:
    """The look of the prompt of the program that a mission runs, a person's `own` first; None: it is not known."""
    name = program_of(definition.argv)
    known, ready = PROMPTS.get(name), own.get(name, _NOTHING).ready
    return (known or Prompt(""))._replace(ready=ready) if ready else known


def is_free(prompt: Prompt, lines: Sequence[str], x: int, y: int) -> bool:
    """Whether the cursor stands in the empty prompt of a program, and that is what takes the next key.

    Args:
        prompt: Of the program.
        lines: Of its screen.
        x: Cells left of the cursor.
        y: Lines above it.
    """
    if prompt.ready:
        shown = [one.rstrip()[:WIDEST] for one in lines if one.strip()][-_PROMPT_LINES:]
        return _is_found(prompt.ready, shown) and not (prompt.taken and _is_found(prompt.taken, shown))
    if not 0 <= y < len(lines):
        return False
    line = lines[y].ljust(x)
    above = lines[y - 1].rstrip() if y else ""
    ends = [one[:WIDEST] for one in lines if one.strip()][-_TAKEN_LINES:]
    is_taken = bool(prompt.taken) and _is_found(prompt.taken, ends)
    return not is_taken and _is_found(prompt.empty, [f"{above[-WIDEST:]}\n{line[:x]}{CURSOR}{line[x:][:WIDEST]}"])


def is_in_prompt(prompt: Prompt, lines: Sequence[str], y: int, text: str) -> bool:
    """Whether a text, and nothing else, stands in a prompt down to line `y`, whatever became of its blanks."""
    held = ""
    for place in range(min(y, len(lines) - 1), max(-1, y - _MOST_PROMPT), -1):
        if not prompt.mark or not lines[place].startswith(prompt.mark):
            held = lines[place] + held
            continue
        held = lines[place].removeprefix(prompt.mark) + held
        above = lines[place - 1] if place else ""
        if same_prompt(text, held) and not (above.startswith(prompt.mark) and above.removeprefix(prompt.mark).strip()):
            return True
    return False


def told_by(rules: Sequence[Rule], title: str, lines: Sequence[str]) -> Told | None:
    """Return the state that a terminal shows of its program; None: none that is known.

    Args:
        rules: Of the program.
        title: Of its window.
        lines: Of its screen.
    """
    shown = [line.rstrip()[:WIDEST] for line in lines if line.strip()]
    for rule in rules:
        looked_at = shown[-rule.last :] if rule.last else (title[:WIDEST],)
        if _is_found(rule.pattern, looked_at) and (not rule.also or _is_found(rule.also, shown[-_PROMPT_LINES:])):
            return Told(rule.state, rule.source)
    return None


def _is_found(pattern: str, lines: Sequence[str]) -> bool:
    return any(_compiled(pattern).search(line) for line in lines)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def program_of(argv: Sequence[str]) -> str:
    """The name of a program, also of the first one in a shell's command."""
    name = argv[0].rpartition("/")[2] if argv else ""
    if name not in SHELLS or "-c" not in argv[:-1]:
        return name
    try:
        words = shlex.split(argv[argv.index("-c") + 1])
    except ValueError:
        return name
    at = program_place(words)
    return words[at].rpartition("/")[2] if at >= 0 else ""
