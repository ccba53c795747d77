"""Reports and strings: what the terminal answers to a program's questions, and what OSC and DCS strings do.

It is a VT220 with colours, and bears nobody's name. Not answered on purpose: the terminal's name (XTVERSION), kitty's
graphics, reads of the clipboard: an answer would promise more than is there, or give away what is private. Strings
carry titles, links, notifications, the clipboard, marks of a shell.

Source: XTerm Control Sequences, "Operating System Commands"; OSC 8, 9, 52, 133, 777 as their first terminals had them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from overmind_core.terminal import modes
from overmind_core.terminal.cells import linked
from overmind_core.terminal.cursor import Parameters
from overmind_core.terminal.sgr import parameters_of
from overmind_core.terminal.state import Clipboard, FolderChanged, Notification, PromptMark, TerminalState

PRIMARY = b"\x1b[?62;22c"
"""VT220 with ANSI colours."""
SECONDARY = b"\x1b[>1;10;0c"
"""VT220, firmware version 1.0, no keyboard."""
_STATUS, _POSITION = 5, 6
_SIZE, _SCREEN_SIZE, _PUSH_TITLE, _POP_TITLE = 18, 19, 22, 23
_ICON_ONLY = 1
_TITLES_LIMIT = 10
_SET, _RESET, _UNKNOWN = 1, 2, 0


def report_device_attributes(state: TerminalState, parameters: Parameters) -> None:
    """DA1."""
    if not any(parameters):
        state.replies.append(PRIMARY)


def report_secondary_attributes(state: TerminalState, parameters: Parameters) -> None:
    """DA2."""
    if not any(parameters):
        state.replies.append(SECONDARY)


def report_device_status(state: TerminalState, parameters: Parameters) -> None:
    """DSR 5 (in order) and 6 (where the cursor is)."""
    if parameters == (_STATUS,):
        state.replies.append(b"\x1b[0n")
    elif parameters == (_POSITION,):
        state.replies.append(b"\x1b[%sR" % _position(state))


def report_private_status(state: TerminalState, parameters: Parameters) -> None:
    """DECXCPR."""
    if parameters == (_POSITION,):
        state.replies.append(b"\x1b[?%sR" % _position(state))


def report_mode(state: TerminalState, parameters: Parameters) -> None:
    """DECRQM of an ANSI mode."""
    mode = parameters[0] if parameters else 0
    on = state.modes.insert if mode == modes.INSERT else state.modes.new_line
    state.replies.append(b"\x1b[%d;%d$y" % (mode, _value(on=on) if mode in modes.KNOWN_ANSI else _UNKNOWN))


def report_private_mode(state: TerminalState, parameters: Parameters) -> None:
    """DECRQM of a private mode."""
    mode = parameters[0] if parameters else 0
    on = state.modes.alternate if mode in modes.ALTERNATE_SCREENS else mode in state.modes.private
    state.replies.append(b"\x1b[?%d;%d$y" % (mode, _value(on=on) if mode in modes.KNOWN else _UNKNOWN))


def report_keyboard_flags(state: TerminalState, parameters: Parameters) -> None:
    """The flags of kitty's keyboard protocol: they are kept for whoever joins, and programs take plain keys as well."""
    if not parameters:
        state.replies.append(b"\x1b[?%du" % state.keyboard.current(alternate=state.modes.alternate))


def window(state: TerminalState, parameters: Parameters) -> None:
    """XTWINOPS: the size in cells, and a stack of titles; a program moves no window here."""
    which = parameters[0] if parameters else 0
    if which in {_SIZE, _SCREEN_SIZE}:
        state.replies.append(b"\x1b[%d;%d;%dt" % (which - 10, state.height, state.columns))
    elif len(parameters) > 1 and parameters[1] == _ICON_ONLY:
        return
    elif which == _PUSH_TITLE:
        state.titles = [*state.titles, state.title][-_TITLES_LIMIT:]
    elif which == _POP_TITLE and state.titles:
        state.set_title(state.titles.pop())


def report_setting(state: TerminalState, setting: str) -> None:
    """DECRQSS: the look, the margins and the cursor's shape; anything else is none."""
    answers = {
        "m": lambda: f"{parameters_of(state.style)}m",
        "r": lambda: f"{state.top + 1};{state.bottom + 1}r",
        " q": lambda: f"{state.cursor_shape} q",
    }
    value = answers.get(setting)
    state.replies.append(f"\x1bP{1 if value else 0}$r{value() if value else ''}\x1b\\".encode())


def report_colour(state: TerminalState, code: str) -> None:
    """OSC 10, 11, 12 with a question mark, when the terminal's own colours are known."""
    if state.colours:
        shares = state.colours[int(code) - 10]
        value = "/".join(f"{share:02x}{share:02x}" for share in shares)
        state.replies.append(f"\x1b]{code};rgb:{value}\x1b\\".encode())


def _position(state: TerminalState) -> bytes:
    top = state.top if state.modes.origin else 0
    return b"%d;%d" % (state.y - top + 1, state.x + 1)


def _value(*, on: bool) -> int:
    return _SET if on else _RESET


TITLE_LIMIT = 4096
"""Characters."""
PROGRAM_STATUS = b"\x1b]7501;?\x1b\\"
"""Says that the reports of the Program Status Protocol are taken: the same as the question."""
ADDRESS_LIMIT = 2048
NOTE_LIMIT = 65_536
_PROGRESS = re.compile(r"\d{1,2}(;|\Z)")
"""OSC 9 with a number first is another terminal's progress bar, no text for a person."""


def system_command(state: TerminalState, body: str) -> None:
    """OSC: a number, a semicolon, the rest; unknown ones do nothing."""
    code, _, value = body.partition(";")
    handler = _COMMANDS.get(code)
    if handler:
        handler(state, value)


def device_string(state: TerminalState, body: str) -> None:
    """DCS: questions are answered, graphics and the like do nothing."""
    if body.startswith("$q"):
        report_setting(state, body[2:])
    elif body.startswith("+q"):
        state.replies.append(b"\x1bP0+r\x1b\\")


def _title(state: TerminalState, value: str) -> None:
    state.set_title(value[:TITLE_LIMIT])


def _folder(state: TerminalState, value: str) -> None:
    try:
        address = urlsplit(value)
    except ValueError:
        return
    if address.scheme == "file" and address.path:
        state.emit(FolderChanged(address.netloc, unquote(address.path)))


def _link(state: TerminalState, value: str) -> None:
    address = value.partition(";")[2]
    good = 0 < len(address) <= ADDRESS_LIMIT and address.isprintable()
    state.style = linked(state.style, address if good else None)


def _notification(state: TerminalState, value: str) -> None:
    if value and not _PROGRESS.match(value):
        state.emit(Notification("", value[:NOTE_LIMIT]))


def _titled_notification(state: TerminalState, value: str) -> None:
    kind, _, rest = value.partition(";")
    if kind == "notify":
        title, _, body = rest[:NOTE_LIMIT].partition(";")
        state.emit(Notification(title, body))


def _clipboard(state: TerminalState, value: str) -> None:
    selection, _, encoded = value.partition(";")
    if encoded == "?":
        return
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return
    state.emit(Clipboard(selection, data))


def _prompt(state: TerminalState, value: str) -> None:
    kind, *details = value.split(";")
    if kind in {"A", "B", "C", "D"}:
        first = details[0] if details else ""
        state.emit(PromptMark(kind, int(first) if kind == "D" and re.fullmatch("[0-9]{1,3}", first) else None))


def _program_status(state: TerminalState, value: str) -> None:
    """The question of the Program Status Protocol; the reports themselves are read from the log of a run."""
    if value == "?":
        state.replies.append(PROGRAM_STATUS)


def _colour(code: str) -> Callable[[TerminalState, str], None]:
    def ask(state: TerminalState, value: str) -> None:
        if value == "?":
            report_colour(state, code)

    return ask


_COMMANDS: dict[str, Callable[[TerminalState, str], None]] = {
    "0": _title,
    "2": _title,
    "7": _folder,
    "8": _link,
    "9": _notification,
    "52": _clipboard,
    "133": _prompt,
    "777": _titled_notification,
    "7501": _program_status,
    **{code: _colour(code) for code in ("10", "11", "12")},
}
