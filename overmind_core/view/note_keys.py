"""The keys of notes, as data: of their view, of the panel of a mission's notes, and the key that opens that."""

from __future__ import annotations

from overmind_core.view.actions import USUAL, Action, Context, Needs

_NOTES, _PAGE, _GIVEN = Context.NOTES, Context.NOTE, Context.GIVEN
_NOTE, _ROW = Needs.NOTE, Needs.ROW


def of_given(context: Context, *, closes: bool = False) -> Action:
    """Opens the panel of notes, or closes it."""
    text = "close the notes" if closes else "show the notes that it was given and wrote; again: close"
    return Action("notes", ("u",), "close" if closes else USUAL, text, context, verb="memory used",
                  hint=2 if closes else 0)  # fmt: skip


def _judging(context: Context) -> tuple[Action, ...]:
    """The keys for a note that was read, in the list and on its page."""
    return (
        Action("accept-note", ("y",), USUAL, "accept a proposal: it is given from now on", context, _NOTE,
               "note accept", hint=1),
        Action("edit-note", ("e",), USUAL, "edit its text in $EDITOR", context, _NOTE, "note edit", hint=4,
               takes_text=True),
        Action("pin-note", ("Y",), USUAL, "pin it: it is given always; again: unpin it", context, _NOTE, "note pin",
               hint=5),
        Action("note-helped", ("shift+up",), USUAL, "say that it has helped", context, _NOTE, "helped", hint=6),
        Action("note-hurt", ("shift+down",), USUAL, "say that it has hurt: then it may be given to nobody", context,
               _NOTE, "hurt", hint=6),
    )  # fmt: skip


NOTE_ACTIONS: tuple[Action, ...] = (
    Action("open-note", ("enter",), USUAL, "show all of it, with its history", _NOTES, _ROW, verb="note", hint=1),
    *_judging(_NOTES),
    Action("new-note", ("n",), "new", "write a note", _NOTES, verb="remember", hint=3, takes_text=True),
    Action("note-users", ("u",), "used by", "show the missions that were given it", _NOTES, _ROW, verb="note", hint=6),
    Action("forget-note", ("ctrl+d",), USUAL, "forget it", _NOTES, _NOTE, "forget", hint=4),
    Action("restore-note", ("U",), USUAL, "take back what was forgotten under the cursor, else last",
           _NOTES, verb="note restore", hint=7),
    *_judging(_PAGE),
    Action("open-given", ("enter",), USUAL, "show all of the note", _GIVEN, verb="note", hint=1),
    of_given(_GIVEN, closes=True),
)  # fmt: skip
