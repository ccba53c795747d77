"""Other programs in our terminal, and what leaves it: the clipboard and saved files."""

from __future__ import annotations

import os
import pty
import select
import tty

from overmind_tui.shell import external
from tests.kit.waiting import eventually


def test_what_was_typed_for_another_program_and_not_read_is_forgotten():
    ours, terminal = pty.openpty()
    tty.setraw(terminal)
    os.write(ours, b"qy")
    eventually(lambda: select.select([terminal], [], [], 0)[0], what="typed")
    external.drop_typed(terminal)
    assert not select.select([terminal], [], [], 0)[0]
    for one in (ours, terminal):
        os.close(one)
    external.drop_typed(terminal)
