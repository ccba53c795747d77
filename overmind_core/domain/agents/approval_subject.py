"""The subject of a question, line by line: the command, the change of a file, the plan or the choices to be approved.

Pure. Tools are told apart by the fields of their input, so that every agent's tools are shown alike. Nothing is left
out: what no rule knows is shown as it is.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Subject = Mapping[str, Any]

MOST_COMPARED = 4000
"""Lines of both sides together that are compared; more are shown as all gone and all new."""
CONTEXT = 3
_TITLE_ONLY = "title_only"
"""`permission.TITLE_ONLY`."""
_OLD, _NEW = "old_string", "new_string"


def lines(subject: Subject, replaces: Subject | None = None) -> list[str]:
    """Return the whole subject of a question; the lines may hold any character.

    `replaces`: the file that would be written anew, as `inbox` tells it.
    """
    shown = dict(subject)
    found = [*_command(shown), *_file(shown, replaces), *_questions(shown), *_prose(shown)]
    return found + [line for name, value in shown.items() for line in _other(name, value)]


def _command(subject: dict[str, Any]) -> Iterator[str]:
    """A command as it would be run; an argv as JSON, so that its words stay apart."""
    command, by_title = subject.pop("command", None), subject.pop(_TITLE_ONLY, None)
    if isinstance(command, str):
        for place, line in enumerate(command.split("\n")):
            yield f"{'> ' if place else '$ '}{line}"
    elif command is not None:
        yield f"$ {json.dumps(command, ensure_ascii=False)}"
    if by_title:
        yield "  (as its program calls it: the command itself is not told)"


def _file(subject: dict[str, Any], replaces: Subject | None) -> Iterator[str]:
    """A file, and what would change in it."""
    about = replaced_note(replaces) if isinstance(subject.get("content"), str) else ""
    for name in ("file_path", "notebook_path", "path"):
        if isinstance(subject.get(name), str):
            yield f"{subject.pop(name)}{about}"
            about = ""
    yield from _change(subject)
    edits = subject.get("edits")
    if isinstance(edits, list) and all(isinstance(edit, dict) for edit in edits):
        del subject["edits"]
        for edit in edits:
            rest = dict(edit)
            yield from _change(rest)
            yield from (line for name, value in rest.items() for line in _other(name, value))
    if isinstance(subject.get("content"), str):
        yield from _written(subject.pop("content"), replaces)


def replaced_note(replaces: Subject | None) -> str:
    """What stands behind the name of a file that would be written anew."""
    if replaces is None:
        return ""
    if replaces["state"] == "new":
        return "  (a new file)"
    return "  (replaces this file)" if replaces["state"] == "text" else "  (replaces a file that can't be shown)"


def _written(content: str, replaces: Subject | None) -> Iterator[str]:
    """A whole text: as a change of what stands there, where that is known."""
    before = None if replaces is None else replaces.get("text")
    if not before:
        yield from _each("+ ", content.removesuffix("\n"))
        return
    import difflib  # noqa: PLC0415 - few commands compare anything

    old, new = before.removesuffix("\n").split("\n"), content.removesuffix("\n").split("\n")
    if len(old) + len(new) > MOST_COMPARED:
        yield from (f"- {line}" for line in old)
        yield from (f"+ {line}" for line in new)
        return
    for line in [*difflib.unified_diff(old, new, lineterm="", n=CONTEXT)][2:]:
        if not line.startswith("@@"):
            yield f"{line[0]} {line[1:]}"
        elif not line.startswith(("@@ -1,", "@@ -1 ", "@@ -0,", "@@ -0 ")):
            yield "  …"
    if before.endswith("\n") != content.endswith("\n"):
        yield "  (removes the newline at the end)" if before.endswith("\n") else "  (adds a newline at the end)"


def _change(subject: dict[str, Any]) -> Iterator[str]:
    for name, sign in ((_OLD, "- "), (_NEW, "+ ")):
        if isinstance(subject.get(name), str):
            yield from _each(sign, subject.pop(name))
    if subject.get("replace_all") is False:
        del subject["replace_all"]


def _questions(subject: dict[str, Any]) -> Iterator[str]:
    """Questions with their choices."""
    questions = subject.get("questions")
    if not isinstance(questions, list) or not all(isinstance(one, dict) for one in questions):
        return
    del subject["questions"]
    for one in questions:
        several = "  (choose one or more)" if one.get("multiSelect") else ""
        yield from _each("", f"{one.get('question', '')}{several}")
        for place, choice in enumerate(one.get("options") or [], 1):
            yield from _choice(place, choice)


def _choice(place: int, choice: object) -> Iterator[str]:
    if not isinstance(choice, dict):
        yield f"  {place}. {choice}"
        return
    about = f"  {choice['description']}" if choice.get("description") else ""
    yield from _each("  ", f"{place}. {choice.get('label', '')}{about}")


def _prose(subject: dict[str, Any]) -> Iterator[str]:
    """A plan, a dialog's text: read as it is written."""
    for name in ("plan", "text"):
        if isinstance(subject.get(name), str):
            text = subject.pop(name)
            yield from _each("", text) if text.strip() else ()
    if isinstance(subject.get("lines"), list):
        yield from (str(line) for line in subject.pop("lines"))


def _other(name: str, value: object) -> Iterator[str]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    first, *more = text.split("\n")
    yield f"{name}: {first}"
    yield from (f"  {line}" for line in more)


def _each(sign: str, text: str) -> Iterator[str]:
    yield from (f"{sign}{line}" for line in text.split("\n"))
