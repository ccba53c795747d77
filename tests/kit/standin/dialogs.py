"""What the program asks on its screen, and which answer each option gives. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.kit.standin.questions import Decision, Question

FILE_TOOLS = {"Write": ("Create file", "create"), "Edit": ("Edit file", "make this edit to")}


class Option(NamedTuple):
    """One line to choose."""

    label: str
    decision: Decision
    description: str = ""


class Dialog(NamedTuple):
    """Lines above the options, the options, a line below."""

    lines: Sequence[str]
    options: Sequence[Option]
    hint: str = " Esc to cancel · Tab to amend"
    default: int = 0
    """Index of the option that Enter takes."""
    indent: int = 1
    """Columns in front of the options."""


STOP = Decision("deny", "person", interrupt=True)
YES = Decision("allow", "person")


def permission(question: Question, cwd: str, columns: int) -> Dialog:
    """Return the dialog for a question."""
    draw = TABLE.get(question.tool, _any_tool)
    return draw(question, cwd, columns)


def _bash(question: Question, cwd: str, columns: int) -> Dialog:
    command, line = question.arguments["command"], "╌" * columns
    lines = [
        "─" * columns, " Bash command", f" {question.arguments.get('description', '')}", line, f" {command}", line,
        " Do you want to proceed?",
    ]  # fmt: skip
    always = f"Yes, and don't ask again for {command} commands in {cwd}"
    auto = "Yes, and switch to auto mode · auto mode handles these prompts for you"
    return Dialog(
        lines, [Option("Yes", YES), Option(always, _with(question, 0)), Option(auto, YES), Option("No", STOP)]
    )


def _file(question: Question, _: str, columns: int) -> Dialog:
    title, verb = FILE_TOOLS[question.tool]
    path, line = question.arguments["file_path"].rsplit("/", 1)[-1], "╌" * columns
    lines = ["─" * columns, f" {title}", f" {path}", line, *_content(question.arguments), line]
    lines.append(f" Do you want to {verb} {path}?")
    edits = "Yes, and switch to accept edits (auto-approve file edits and common file commands) for this session"
    return Dialog(lines, [Option("Yes", YES), Option(edits + " (shift+tab)", _with(question, -1)), Option("No", STOP)])


def _any_tool(question: Question, _: str, columns: int) -> Dialog:
    line = "╌" * columns
    told = [f" {name}: {value}" for name, value in question.arguments.items()]
    lines = [
        "─" * columns,
        f" {question.tool}",
        line,
        *told,
        line,
        f" Do you want to allow Claude to use {question.tool}?",
    ]
    never = Option("No, and tell Claude what to do differently (esc)", STOP)
    always = f"Yes, and don't ask again for {question.tool}"
    return Dialog(lines, [Option("Yes", YES), Option(always, YES), never], hint="")


def _choice(question: Question, _: str, columns: int) -> Dialog:
    asked = question.arguments["questions"][0]
    lines = ["─" * columns, f" ☐ {asked['header']}", "", asked["question"], ""]
    options = [
        Option(option["label"], _answered(question, option["label"]), option.get("description", ""))
        for option in asked["options"]
    ]
    return Dialog(
        lines,
        [*options, Option("Type something.", STOP), Option("Chat about this", STOP)],
        "Enter to select · ↑/↓ to navigate · Esc to cancel",
        indent=0,
    )


def _plan(question: Question, _: str, columns: int) -> Dialog:
    line = "  " + "╌" * (columns - 4)
    plan = [f"   {row}" for row in question.arguments.get("plan", "").splitlines()]
    lines = [
        "▔" * columns, "   Ready to code?", line, *plan, line,
        "   Claude has written up a plan and is ready to execute. Would you like to", "   proceed?",
    ]  # fmt: skip
    approved = YES._replace(arguments=question.arguments)
    options = ["Yes, and use auto mode", "Yes, manually approve edits"]
    rejected = Option("Tell Claude what to change", STOP)
    return Dialog(lines, [*(Option(label, approved) for label in options), rejected], "", indent=3)


def trust(cwd: str, columns: int) -> Dialog:
    """Return the question before the first start in a folder."""
    lines = [
        "", "─" * columns, " Accessing workspace:", "", f" {cwd}", "",
        " Quick safety check: Is this a project you created or one you trust? (Like your",
        " own code, a well-known open source project, or work from your team). If not,",
        " take a moment to review what's in this folder first.", "",
        " Claude Code'll be able to read, edit, and execute files here.", "", " Security guide", "",
    ]  # fmt: skip
    return _setup(lines, "No, exit", "Yes, I trust this folder")


def api_key(key: str, columns: int) -> Dialog:
    """Return the question about a key that was not seen before."""
    lines = [
        "", "─" * columns, "  Detected a custom API key in your environment", "",
        f"  ANTHROPIC_API_KEY: sk-ant-...{key[-20:]}", "", "  Do you want to use this API key?", "",
    ]  # fmt: skip
    options = [Option("Yes", YES), Option("No (recommended)", STOP)]
    return Dialog(lines, options, "  Enter to confirm · Esc to cancel", default=1, indent=2)


def bypass(columns: int) -> Dialog:
    """Return the warning before a start without permissions."""
    lines = [
        "", "─" * columns, "  WARNING: Claude Code running in Bypass Permissions mode", "",
        "  In Bypass Permissions mode, Claude Code will not ask for your approval",
        "  before running potentially dangerous commands.", "",
        "  By proceeding, you accept all responsibility for actions taken while running",
        "  in Bypass Permissions mode.", "",
    ]  # fmt: skip
    return _setup(lines, "No, exit", "Yes, I accept")._replace(indent=2)


def _setup(lines: Sequence[str], no: str, yes: str) -> Dialog:
    return Dialog(lines, [Option(no, STOP), Option(yes, YES)], " Enter to confirm · Esc to cancel")


def _answered(question: Question, label: str) -> Decision:
    asked = question.arguments["questions"][0]["question"]
    return YES._replace(arguments={**question.arguments, "answers": {asked: label}})


def _with(question: Question, index: int) -> Decision:
    return YES._replace(updates=[question.suggestions[index]]) if question.suggestions else YES


def _content(arguments: Mapping[str, Any]) -> list[str]:
    if "content" in arguments:
        return [f"  {number} {row}" for number, row in enumerate(arguments["content"].splitlines(), 1)]
    removed = [f" -{row}" for row in arguments["old_string"].splitlines()]
    return removed + [f" +{row}" for row in arguments["new_string"].splitlines()]


TABLE: Mapping[str, Callable[[Question, str, int], Dialog]] = {
    "Bash": _bash,
    "Write": _file,
    "Edit": _file,
    "AskUserQuestion": _choice,
    "ExitPlanMode": _plan,
}
