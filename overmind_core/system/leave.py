"""The programs that no sweep ends, though a mission started them: they serve the whole user, not the mission.

A pattern is a shell glob. It is held against the process' name and against its command line, the program without its
folder: `java*GradleDaemon*` finds `/usr/bin/java -Xmx512m org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5`.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache

LEAVE = (
    # keys and passphrases
    "gpg-agent",
    "ssh-agent",
    "scdaemon",
    "keyboxd",
    # terminals that people come back to
    "tmux: server",
    "SCREEN",
    "SCREEN *",
    "zellij --server*",
    # build daemons, shared by all builds of the user
    "java*GradleDaemon*",
    "java*KotlinCompileDaemon*",
    "java*sbt.ForkMain*",
    "bazel(*",
    "*bazel*A-server.jar*",
    "buck2d*",
    "mvnd*",
    "sccache",
    "distccd",
    "watchman",
    "adb*fork-server*",
)
"""Unless the configuration's list `leave` says otherwise."""


def matcher(patterns: Iterable[str]) -> Callable[[str, Sequence[str]], bool]:
    """Return a function that tells whether a process with this name and command line is to be left alone."""
    return _matcher(tuple(patterns))


@cache
def _matcher(patterns: tuple[str, ...]) -> Callable[[str, Sequence[str]], bool]:
    if not patterns:
        return lambda _name, _argv: False
    match = re.compile("|".join(map(fnmatch.translate, patterns)), re.DOTALL).match

    def left(name: str, argv: Sequence[str]) -> bool:
        line = " ".join([os.path.basename(argv[0]), *argv[1:]]) if argv else ""
        return bool(match(name) or match(line) or (argv and match(os.path.basename(argv[0]))))

    return left
