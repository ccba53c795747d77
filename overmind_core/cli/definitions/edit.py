"""`overmind edit`: a mission's definition as TOML in the person's editor; stored, then the mission is restarted."""

from __future__ import annotations

import os
import shlex
import sys
from functools import partial

from overmind_core.cli.command import JSON, Command, argument, flag, one_id
from overmind_core.cli.context import Context, print_notes
from overmind_core.cli.ends import EndTeller
from overmind_core.cli.output import dumps
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping
    from typing import Any

    Answer = Mapping[str, Any]

STDIN = "-"
_KEPT = frozenset({"busy", "daemon_lost", "daemon_not_running", "disk_full", "forbidden", "internal"})
"""Errors that another text would meet, too."""
_UNDER_WAY = frozenset({"running", "paused"})
"""Statuses in which the time of a run counts."""


def edit(args: Namespace, context: Context) -> int:
    """Print the text, take it from a file, or have it edited; then restart what has changed."""
    from overmind_core.cli.caller_environment import session_environment  # start-up: --help needs none
    from overmind_core.cli.definitions.edit_file import definition_text  # as above

    before = context.client(start=True).call("definition", {"id": args.id})
    if args.print:
        context.print(definition_text(before).rstrip("\n"))
        return 0
    refusal = None if args.no_restart else before.get("restart_refused")  # an older daemon says none
    if refusal is not None:
        raise OvermindError("not_finished", f"Nothing was changed. {refusal}")
    goes_on = args.no_restart and before["live"]
    if args.file is None:
        after = _edit_in_editor(before, context, goes_on=goes_on)
    else:
        after = _store_file(before, args.file, context, goes_on=goes_on)
    restarted = bool(after["changed"]) and not args.no_restart
    if restarted:
        session = session_environment(context.environ) if context.hive is None else {}
        teller = EndTeller(context, [before["id"]], may_kill=False)
        begun = context.client().call("restart", {"id": before["id"], "session_env": session}, meanwhile=teller)
        print_notes([begun], context)
    if not args.quiet:
        _print_result(after, context, restarted=restarted, as_json=args.json)
    return 0


def _print_result(after: Answer, context: Context, *, restarted: bool, as_json: bool) -> None:
    if as_json:
        context.print(dumps({**after, "restarted": restarted}))
        return
    changed = ", ".join(after["changed"])
    context.print(f"Updated mission {after['id']}: {changed}" if changed else "Nothing changed.")
    if restarted:
        context.print(f"Restarted mission {after['id']}")


def _store_file(before: Answer, path: str, context: Context, *, goes_on: bool) -> Answer:
    """Store what a file says."""
    from overmind_core.cli.definitions.edit_file import Mistake

    try:
        if path == STDIN:
            text = sys.stdin.buffer.read().decode()
        else:
            with open(path, "rb") as file:
                text = file.read().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise OvermindError("invalid", f"{path}: {getattr(error, 'strerror', None) or error}.") from None
    try:
        return _store(before, text, context, goes_on=goes_on)
    except Mistake as mistake:
        name = "standard input" if path == STDIN else path
        raise OvermindError("invalid", f"{name}, line {mistake.line}: {mistake.sentence}") from None


def _edit_in_editor(before: Answer, context: Context, *, goes_on: bool) -> Answer:
    """Have the person edit it, again and again while there is a mistake in it and a person to mend it."""
    from overmind_core.cli.definitions.edit_file import EditorDraft, definition_text, editor_command

    command = editor_command(context.environ)
    if "VISUAL" not in context.environ and "EDITOR" not in context.environ and not _person():
        raise OvermindError("invalid", "edit needs a terminal or EDITOR. In scripts: overmind edit ID --print, and -")
    draft = EditorDraft(context.home.root, before["name"])
    try:
        store = partial(_store, before, context=context, goes_on=goes_on)
        answer = _edit_until_stored(before, definition_text(before), partial(draft.edited, command=command), store)
    except OvermindError as error:
        where = f" Your text is kept in {draft.path}" if os.path.exists(draft.path) else ""
        raise OvermindError(error.code, f"{error.message}{where}", **error.fields) from None
    draft.drop()
    return answer


def _edit_until_stored(
    before: Answer, text: str, edited: Callable[[str], str], store: Callable[[str], Answer]
) -> Answer:
    from overmind_core.cli.definitions.edit_file import Mistake, marked, unmarked

    first, given, mistake = text, text, None
    while True:
        fresh = edited(given)
        text_now = unmarked(fresh)
        if text_now == first or not text_now.strip():
            return {"id": before["id"], "name": before["name"], "changed": []}
        if mistake is not None and fresh == given:
            raise OvermindError("invalid", f"Nothing was changed: {mistake.sentence}")
        try:
            return store(text_now)
        except Mistake as wrong:
            if not _person():
                raise OvermindError("invalid", f"line {wrong.line}: {wrong.sentence}") from None
            mistake, given = wrong, marked(text_now, wrong)


def _store(before: Answer, text: str, context: Context, *, goes_on: bool) -> Answer:
    """Store what a text says, if it makes sense; `goes_on`: the run under way is not restarted with it.

    Raises:
        Mistake: it doesn't.
        OvermindError: it can't be stored, whatever it says.
    """
    from overmind_core.cli.definitions.edit_file import mistake_of, read_definition

    terms = read_definition(text)
    if goes_on:
        _check_limit(before, terms, text, context)
    request = {"id": before["id"], "as_of": before["as_of"], "definition": terms}
    try:
        answer: Answer = context.client().call("redefine", request)
    except OvermindError as error:
        if error.code in _KEPT or error.message.startswith("No mission"):
            raise
        raise mistake_of(error, text) from None
    return answer


def _check_limit(before: Answer, terms: Answer, text: str, context: Context) -> None:
    """Refuse a limit of time that the run under way has passed already: it would end at once.

    Raises:
        Mistake: it has.
    """
    from overmind_core.cli.definitions.edit_file import Mistake, line_of
    from overmind_core.domain.text.duration import DurationError, format_uptime, parse_duration

    given = terms.get("timeout", 0)
    if given == before["definition"]["timeout"]:
        return
    try:
        limit = parse_duration(str(given), default_unit="ms")
    except DurationError:
        limit = 0.0  # the daemon says what is wrong
    if not limit:
        return
    run = context.client().call("info", {"id": before["id"]})
    if run["status"] in _UNDER_WAY and limit <= run["uptime_seconds"]:
        lasted = f"timeout: the run has lasted {format_uptime(run['uptime_seconds'])}, so it would end at once"
        again = shlex.join(("overmind", "edit", before["name"]))
        raise Mistake(line_of(text, ("timeout",)), f"{lasted}. Give more, or restart it with that: {again}")


def _person() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


EDIT = Command(
    name="edit",
    arguments=[
        one_id(),
        argument("file", "read the text from this file; - is standard input", nargs="?", metavar="file"),
    ],
    options=[
        flag("--print", "print the text and change nothing; shows the values of variables"),
        flag("--no-restart", "store it without a restart; limits and rules apply at once, a command from the next run"),
        flag("--quiet", "print nothing on success"),
        JSON,
    ],
    examples=[
        "overmind edit api",
        "overmind edit api --no-restart",
        "overmind edit api --print > api.toml",
        "overmind edit api --print | sed 's/^restart = .*/restart = \"always\"/' | overmind edit api -",
    ],
    notes=(
        "The editor is $VISUAL, $EDITOR, vi or nano. After a mistake it opens again and shows the line and the "
        "error; quit without saving to give up. An unchanged text changes nothing. The mission keeps its id and "
        "log, and a session keeps its conversation. A finished mission is started."
    ),
    run=edit,
)

COMMANDS = (EDIT,)
