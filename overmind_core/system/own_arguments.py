"""The arguments of this process, as the list of the machine's processes shows them to everybody.

Source: proc_pid_stat(5), proc_pid_cmdline(5), proc_pid_mem(5).
"""

from __future__ import annotations

import os

_ARGUMENTS_BEGIN = 45
"""Which of the words after the name in /proc/PID/stat is the address of the arguments: `arg_start`."""


def hide_argument(word: str) -> None:
    """Have the list of processes show asterisks in place of an argument of this process, from now on.

    Until then it is shown, and where this can't be done it stays: not on Linux, or where no process may write its own
    memory by that file.
    """
    hidden = os.fsencode(word)
    try:
        with open("/proc/self/cmdline", "rb") as file:
            place = (b"\0" + file.read()).find(b"\0" + hidden + b"\0")
        with open("/proc/self/stat", "rb") as file:
            address = int(file.read().rpartition(b")")[2].split()[_ARGUMENTS_BEGIN]) + place
        if place < 0:
            return
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            if os.pread(memory.fileno(), len(hidden), address) == hidden:  # else they lie elsewhere
                os.pwrite(memory.fileno(), b"*" * len(hidden), address)
    except (OSError, LookupError, ValueError):
        return
