"""The programs that a supervisor starts for itself wear its mark from their first instruction.

A mark given to one that already runs comes too late for what it has started by then: a hook of git could leave its
parent, take the mark off, and speak as a person.
"""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from overmind_core.system.run_mark import MARK_RLIMIT, own_limits

SETTERS = ("/usr/bin/prlimit", "/bin/prlimit")
"""Source: prlimit(1). A mark that the child sets itself needs a fork of the whole supervisor, which takes milliseconds
in which no thread of it runs."""


def start_own(argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - Popen's own
    """Start a program, and so all that it starts, as the supervisor's own: nobody's word.

    Its hard limit is as low as the soft one: without privileges it can't be raised again by whoever leaves its parent
    and session, and whoever lowers it further is known by that. A mission's mark that this process wears is inherited.

    Args:
        argv: The program, found in the PATH of `env`, and its arguments.
        options: Of `subprocess.Popen`; `cwd` and `env` among them.

    Raises:
        OSError: it can't be started.
    """
    limits = own_limits()
    if limits is None:
        return subprocess.Popen(argv, **options)
    setter = next((path for path in SETTERS if os.access(path, os.X_OK)), None)
    if setter is None:
        return subprocess.Popen(argv, preexec_fn=partial(_set, limits), **options)  # noqa: PLW1509 - nothing but that
    program = _found(argv[0], options["cwd"], options["env"])
    soft, hard = limits
    return subprocess.Popen([setter, f"--msgqueue={soft}:{hard}", "--", program, *argv[1:]], **options)


def _set(limits: tuple[int, int]) -> None:
    assert MARK_RLIMIT is not None  # `limits` come from it
    resource.setrlimit(MARK_RLIMIT, limits)


def _found(name: str, cwd: str, env: Mapping[str, str]) -> str:
    """The file that execvpe(3) would run there. Raises FileNotFoundError."""
    from shutil import which  # noqa: PLC0415 - a supervisor without isolated missions never needs it

    folders = env.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join(os.path.join(cwd, folder) for folder in folders)
    found = which(os.path.join(cwd, name) if "/" in name else name, path=path)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    return found
