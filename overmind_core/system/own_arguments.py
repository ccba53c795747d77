"""The arguments of this process, as the list of the machine's processes shows them to everybody."""

from __future__ import annotations

import os

_ARGUMENTS_BEGIN = 45
"""Which of the words after the name in /proc/PID/stat is the address of the arguments: proc(5), `arg_start`."""


def hide_argument(word: str) -> bool:
    """Have the list of processes show asterisks in place of an argument of this process, from now on.

    Until this is called it is shown, and where it can't be done (not on Linux, or a kernel that does not let a process
    write its own memory) it stays; whether it was done.
    """
    hidden = os.fsencode(word)
    try:
        with open("/proc/self/cmdline", "rb") as file:
            shown = file.read()
        with open("/proc/self/stat", "rb") as file:
            begin = int(file.read().rpartition(b")")[2].split()[_ARGUMENTS_BEGIN])
        place = (b"\0" + shown).find(b"\0" + hidden + b"\0")
        if not hidden or place < 0 or not begin:
            return False
        memory = os.open("/proc/self/mem", os.O_RDWR | os.O_CLOEXEC)
        try:
            if os.pread(memory, len(hidden), begin + place) != hidden:
                return False
            return os.pwrite(memory, b"*" * len(hidden), begin + place) == len(hidden)
        finally:
            os.close(memory)
    except (OSError, LookupError, ValueError):
        return False
