"""The edit of a note in the person's editor. What they wrote and nobody stored stays in a file, without its secrets."""

from __future__ import annotations

import os

from overmind_core.cli.context import Context, is_interactive
from overmind_core.cli.definitions.edit_file import EditorDraft, editor_command
from overmind_core.cli.memory import lines
from overmind_core.cli.memory.asking import Redaction, folder
from overmind_core.cli.memory.notes import print_edited, store_edit
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace

NO_EDITOR = "note edit needs a terminal or EDITOR. In scripts: overmind note edit N-… --text -"


def edit_in_editor(args: Namespace, context: Context) -> int:
    """Write the next version of a note in an editor."""
    hidden = Redaction(context.environ)
    before = context.client().call("note", {"note": args.note, "cwd": folder()})
    given = lines.clean(before["text"])
    command = editor_command(context.environ)
    if "VISUAL" not in context.environ and "EDITOR" not in context.environ and not is_interactive():
        raise OvermindError("invalid", NO_EDITOR)
    draft = EditorDraft(context.home.root, str(before["id"]), suffix=".md")
    try:
        text = hidden.text(draft.edited(f"{given}\n", command).removesuffix("\n"))
        if text.strip() and text != given:
            store_edit(args, context, hidden, {"note": before["id"], "seen": before["version_id"], "text": text})
        else:
            print_edited(args, context, {"note": before, "changed": False})
    except OvermindError:
        if _is_kept(draft, given, hidden):
            context.note(display_safe(f"Your text is kept in {draft.path}"))
        raise
    draft.drop()
    return 0


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
