"""What arrives as a string (OSC, DCS): titles, links, notifications, the clipboard, marks of a shell.

Source: XTerm Control Sequences, "Operating System Commands"; OSC 8, 9, 52, 133, 777 as their first terminals had them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from overmind_core.terminal.events import Clipboard, FolderChanged, Notification, PromptMark
from overmind_core.terminal.replies import report_colour, report_setting
from overmind_core.terminal.state import State
from overmind_core.terminal.style import linked

TITLE_LIMIT = 4096
"""Characters."""
ADDRESS_LIMIT = 2048
NOTE_LIMIT = 65_536
_PROGRESS = re.compile(r"\d{1,2}(;|\Z)")
"""OSC 9 with a number first is another terminal's progress bar, no text for a person."""


def system_command(state: State, body: str) -> None:
    """OSC: a number, a semicolon, the rest; unknown ones do nothing."""
    code, _, value = body.partition(";")
    handler = _COMMANDS.get(code)
    if handler:
        handler(state, value)


def device_string(state: State, body: str) -> None:
    """DCS: questions are answered, graphics and the like do nothing."""
    if body.startswith("$q"):
        report_setting(state, body[2:])
    elif body.startswith("+q"):
        state.replies.append(b"\x1bP0+r\x1b\\")


def _title(state: State, value: str) -> None:
    state.set_title(value[:TITLE_LIMIT])


def _folder(state: State, value: str) -> None:
    try:
        address = urlsplit(value)
    except ValueError:
        return
    if address.scheme == "file" and address.path:
        state.tell(FolderChanged(address.netloc, unquote(address.path)))


def _link(state: State, value: str) -> None:
    address = value.partition(";")[2]
    good = 0 < len(address) <= ADDRESS_LIMIT and address.isprintable()
    state.style = linked(state.style, address if good else None)


def _notification(state: State, value: str) -> None:
    if value and not _PROGRESS.match(value):
        state.tell(Notification("", value[:NOTE_LIMIT]))


def _titled_notification(state: State, value: str) -> None:
    kind, _, rest = value.partition(";")
    if kind == "notify":
        title, _, body = rest[:NOTE_LIMIT].partition(";")
        state.tell(Notification(title, body))


def _clipboard(state: State, value: str) -> None:
    selection, _, encoded = value.partition(";")
    if encoded == "?":
        return
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return
    state.tell(Clipboard(selection, data))


def _prompt(state: State, value: str) -> None:
    kind, *details = value.split(";")
    if kind in {"A", "B", "C", "D"}:
        first = details[0] if details else ""
        state.tell(PromptMark(kind, int(first) if kind == "D" and re.fullmatch("[0-9]{1,3}", first) else None))


def _colour(code: str) -> Callable[[State, str], None]:
    def ask(state: State, value: str) -> None:
        if value == "?":
            report_colour(state, code)

    return ask


_COMMANDS: dict[str, Callable[[State, str], None]] = {
    "0": _title,
    "2": _title,
    "7": _folder,
    "8": _link,
    "9": _notification,
    "52": _clipboard,
    "133": _prompt,
    "777": _titled_notification,
    **{code: _colour(code) for code in ("10", "11", "12")},
}
