"""The memory of a process from which many are forked: what each fork has to copy, page after page.

A fork copies the tables of all pages that there are, and then each page that it writes to: half of the processor time
of a command, a daemon and a keeper of the tests.
"""

from __future__ import annotations

import ctypes

_POOL, _POOL_HEAD = 1 << 14, 48
"""Bytes of Python's pools of blocks of one size, and of what stands at their beginning."""
_BLOCKS = range(16, 512 + 1, 16)
"""Bytes of those blocks."""
_MOST_FREE = 1 << 12
"""Free blocks of one size that there may be; what has other pools is given so many and no more."""
_GAPS = tuple(1 << power for power in range(16, 4, -1))
"""Bytes of what is free between what was loaded."""
_COLLAPSE = 25
"""MADV_COLLAPSE of Linux 6.1."""
_HUGE = 1 << 21
"""Bytes of a huge page."""


def settle() -> None:
    """Prepare for forks, once all is loaded that they need."""
    libc = ctypes.CDLL(None)
    _fill_gaps(libc)
    _collapse(libc)


def _fill_gaps(libc: ctypes.CDLL) -> None:
    """Use up what is free between what was loaded: what a fork puts there would have it copy all these pages."""
    block = ctypes.pythonapi.PyObject_Malloc
    block.restype, block.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    for size in _BLOCKS:
        for _ in range(_MOST_FREE):
            if block(size) % _POOL == _POOL_HEAD:  # the first of a pool that was not begun before
                break
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.sbrk.restype, libc.sbrk.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
    end = libc.sbrk(0)
    for size in _GAPS:
        while libc.malloc(size) < end:
            pass


def _collapse(libc: ctypes.CDLL) -> None:
    """Have huge pages, whose tables are short; a kernel that has none says so, and all is as before."""
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    with open("/proc/self/maps") as file:
        places = [line.split()[0].split("-") for line in file if " rw-p " in line and "/" not in line]
    for place in places:
        start, end = (int(address, 16) for address in place)
        start, end = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if start < end:
            libc.madvise(start, end - start, _COLLAPSE)
