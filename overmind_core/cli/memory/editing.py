"""The work of note edit: the text comes from an option, from standard input or from the person's editor.

What they wrote in the editor, and could not be stored, stays in a file, without its secrets.
"""

from __future__ import annotations

import os

from overmind_core.cli.context import Context, is_interactive
from overmind_core.cli.definitions.edit_file import EditorDraft, editor_command
from overmind_core.cli.memory import lines
from overmind_core.cli.memory.asking import Redaction, folder, note_redacted
from overmind_core.cli.output import dumps
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

NO_EDITOR = "note edit needs a terminal or EDITOR. In scripts: overmind note edit N-… --text -"


def edit(args: Namespace, context: Context) -> int:
    """Write the next version of a note."""
    hidden = Redaction(context.environ)
    if args.text is None:
        _edit_in_editor(args, context, hidden)
    else:
        _store(args, context, hidden, {"note": args.note, "text": hidden.words([args.text])})
    return 0


def _store(args: Namespace, context: Context, hidden: Redaction, wanted: Mapping[str, object]) -> None:
    """Have the daemon store an edit, and print what became of it."""
    answer = context.client().call("note_set", {"change": "edit", "cwd": folder(), **wanted})
    note_redacted(context, hidden.count)
    _print(args, context, answer)


def _print(args: Namespace, context: Context, answer: Mapping[str, Any]) -> None:
    found = answer["note"]
    if args.json:
        context.print(dumps(answer))
    else:
        edited = f"Edited {found['id']} (version {found['version']})"
        context.print(edited if answer["changed"] else f"unchanged: {found['id']}")


def _edit_in_editor(args: Namespace, context: Context, hidden: Redaction) -> None:
    before = context.client().call("note", {"note": args.note, "cwd": folder()})
    given = lines.clean(before["text"])
    command = editor_command(context.environ)
    if "VISUAL" not in context.environ and "EDITOR" not in context.environ and not is_interactive():
        raise OvermindError("invalid", NO_EDITOR)
    draft = EditorDraft(context.home.root, str(before["id"]), suffix=".md")
    try:
        text = hidden.text(draft.edited(f"{given}\n", command).removesuffix("\n"))
        if text.strip() and text != given:
            _store(args, context, hidden, {"note": before["id"], "seen": before["version_id"], "text": text})
        else:
            _print(args, context, {"note": before, "changed": False})
    except OvermindError:
        if _is_kept(draft, given, hidden):
            context.note(display_safe(f"Your text is kept in {draft.path}"))
        raise
    draft.drop()


def _is_kept(draft: EditorDraft, given: str, hidden: Redaction) -> bool:
    """Keep what the person wrote, if it is anything."""
    try:
        with open(draft.path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        return True
    except OSError:
        return False
    if not text.strip() or text.removesuffix("\n") == given:
        draft.drop()
        return False
    with open(os.open(draft.path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC), "w", encoding="utf-8") as file:
        file.write(hidden.text(text))
    return True
