"""Setting and resetting modes, the two screens among them, and what DECSC saves."""

from __future__ import annotations

from overmind_core.terminal import modes
from overmind_core.terminal.cells import DEFAULT
from overmind_core.terminal.cursor import Parameters
from overmind_core.terminal.keyboard import apply_flags, apply_resource
from overmind_core.terminal.state import Charsets, SavedCursor, TerminalState


def save_cursor(state: TerminalState) -> None:
    """DECSC, SCOSC: one slot per screen."""
    state.saved[state.modes.alternate] = SavedCursor(
        state.x, state.y, state.pending_wrap, state.style, state.charsets, state.modes.origin
    )


def restore_cursor(state: TerminalState) -> None:
    """DECRC, SCORC: as often as somebody likes; as after power on when nothing was saved."""
    saved = state.saved[state.modes.alternate] or SavedCursor(0, 0, False, DEFAULT, Charsets(), False)
    state.x = min(saved.x, state.columns - 1)
    state.y = min(saved.y, state.height - 1)
    state.pending_wrap = saved.pending_wrap
    state.style = saved.style
    state.modes.set_private(modes.ORIGIN, on=saved.origin)
    state.set_charsets(saved.charsets)


def save_cursor_alone(state: TerminalState, parameters: Parameters) -> None:
    """SCOSC; with parameters it would be left and right margins, which are not there."""
    if not parameters:
        save_cursor(state)


def restore_cursor_alone(state: TerminalState, parameters: Parameters) -> None:
    """SCORC."""
    if not parameters:
        restore_cursor(state)


def reset(state: TerminalState) -> None:
    """RIS."""
    state.reset()
    state.scrollback.clear()


def soft_reset(state: TerminalState, parameters: Parameters) -> None:
    """DECSTR: modes, margins and look as after power on; what is shown stays."""
    del parameters
    state.modes.reset_softly()
    state.top, state.bottom = 0, state.height - 1
    state.style = DEFAULT
    state.saved[state.modes.alternate] = None
    state.pending_wrap = False
    state.set_charsets(Charsets())


def set_mode(state: TerminalState, parameters: Parameters) -> None:
    """SM."""
    _set_ansi(state, parameters, on=True)


def reset_mode(state: TerminalState, parameters: Parameters) -> None:
    """RM."""
    _set_ansi(state, parameters, on=False)


def set_private_mode(state: TerminalState, parameters: Parameters) -> None:
    """DECSET."""
    for mode in parameters:
        _set_private(state, mode, on=True)


def reset_private_mode(state: TerminalState, parameters: Parameters) -> None:
    """DECRST."""
    for mode in parameters:
        _set_private(state, mode, on=False)


def application_keypad(state: TerminalState) -> None:
    """DECKPAM."""
    state.modes.set_private(modes.NUMERIC_KEYPAD, on=True)


def normal_keypad(state: TerminalState) -> None:
    """DECKPNM."""
    state.modes.set_private(modes.NUMERIC_KEYPAD, on=False)


def set_cursor_shape(state: TerminalState, parameters: Parameters) -> None:
    """DECSCUSR: 0 and 1 a blinking block, 2 a block, 3 and 4 an underline, 5 and 6 a bar."""
    shape = parameters[0] if parameters else 0
    if shape <= 6:  # noqa: PLR2004 (see above)
        state.cursor_shape = shape


def push_keyboard_flags(state: TerminalState, parameters: Parameters) -> None:
    """`CSI > flags u`."""
    apply_flags(state.keyboard, ">", parameters, alternate=state.modes.alternate)


def pop_keyboard_flags(state: TerminalState, parameters: Parameters) -> None:
    """`CSI < count u`."""
    apply_flags(state.keyboard, "<", parameters, alternate=state.modes.alternate)


def set_keyboard_flags(state: TerminalState, parameters: Parameters) -> None:
    """`CSI = flags ; how u`."""
    apply_flags(state.keyboard, "=", parameters, alternate=state.modes.alternate)


def set_keyboard_resource(state: TerminalState, parameters: Parameters) -> None:
    """XTMODKEYS."""
    apply_resource(state.keyboard, parameters)


def define_charset(state: TerminalState, slot: int, name: str) -> None:
    """SCS: a character set into G0 … G3."""
    if state.charsets.designated[slot] != name:  # most programs say before each colour what holds anyway
        state.set_charsets(state.charsets.with_set(slot, name))


def shift(state: TerminalState, slot: int) -> None:
    """SI, SO, LS2, LS3: G0 … G3 in use."""
    state.set_charsets(state.charsets.with_shift(slot))


def _set_ansi(state: TerminalState, parameters: Parameters, *, on: bool) -> None:
    for mode in parameters:
        state.modes.set_ansi(mode, on=on)
    state.update_special()


def _set_private(state: TerminalState, mode: int, *, on: bool) -> None:
    if mode in modes.ALTERNATE_SCREENS:
        (_to_alternate if on else _to_primary)(state, mode)
    elif mode == modes.SAVE_CURSOR:
        (save_cursor if on else restore_cursor)(state)
    else:
        state.modes.set_private(mode, on=on)
        if mode == modes.ORIGIN:
            state.goto(0, 0)
        elif mode == modes.REVERSE_VIDEO:
            state.dirty_all = True


def _to_alternate(state: TerminalState, mode: int) -> None:
    """1049 saves the cursor first and shows a blank screen; the others show what was there."""
    if mode == modes.SAVING_SCREEN:
        save_cursor(state)
        state.pending_wrap = False
    if not state.modes.alternate:
        _swap(state)
    if mode == modes.SAVING_SCREEN:
        state.rows[:] = state.blank_rows(state.height)
        state.dirty_all = True
    state.modes.set_private(mode, on=True)


def _to_primary(state: TerminalState, mode: int) -> None:
    """1047 leaves a blank alternate screen, 1049 restores the cursor."""
    if state.modes.alternate:
        if mode == modes.CLEARING_SCREEN:
            state.rows[:] = state.blank_rows(state.height)
            state.pending_wrap = False
        _swap(state)
    state.modes.set_private(mode, on=False)
    if mode == modes.SAVING_SCREEN:
        restore_cursor(state)


def _swap(state: TerminalState) -> None:
    state.rows, state.other_rows = state.other_rows, state.rows
    state.modes.alternate = not state.modes.alternate
    state.dirty_all = True
