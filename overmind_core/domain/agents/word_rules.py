"""Rules about the shell as words: whether a simple command is what a rule names, surely, perhaps or not. Pure.

To deny, options that a program takes before its subcommand are passed over, so that `git -C . push` is a `git push`. To
allow, nothing is: each word has to be the rule's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from overmind_core.domain.shell.carriers import CARRIERS, carried
from overmind_core.domain.shell.commands import KEYWORDS, SHELLS
from overmind_core.domain.shell.words import Word, split

_WILD = "\0"
"""Stands for `*` while the quotes of a rule are resolved: no command has it."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*")
_RUN_ANYTHING = frozenset([*CARRIERS, *SHELLS, *KEYWORDS])
VALUED: Mapping[str, frozenset[str]] = {
    "git": frozenset(["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--super-prefix", "--config-env",
                      "--attr-source"]),
    "docker": frozenset(
        ["-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey",
         "-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory"]  # of compose
    ),
    "kubectl": frozenset(
        ["-n", "--namespace", "--context", "--cluster", "--user", "--kubeconfig", "-s", "--server", "--token", "--as",
         "--as-group", "--as-uid", "--certificate-authority", "--client-certificate", "--client-key",
         "--request-timeout", "--cache-dir", "-v", "--v", "--profile", "--profile-output", "--tls-server-name",
         "--username", "--password", "--vmodule"]
    ),
    "npm": frozenset(
        ["--prefix", "-C", "-w", "--workspace", "--registry", "--cache", "--userconfig", "--globalconfig",
         "--loglevel", "--scope", "--tag"]
    ),
    "cargo": frozenset(["--color", "--config", "-Z", "-C"]),
    "terraform": frozenset(),
    "gh": frozenset(["-R", "--repo", "--hostname"]),
    "helm": frozenset(
        ["-n", "--namespace", "--kube-context", "--kubeconfig", "--kube-apiserver", "--kube-token", "--kube-as-user",
         "--kube-as-group", "--kube-ca-file", "--kube-tls-server-name", "--registry-config", "--repository-cache",
         "--repository-config", "--burst-limit", "--qps"]
    ),
    "ssh": frozenset(["-b", "-B", "-c", "-D", "-E", "-e", "-F", "-I", "-i", "-J", "-L", "-l", "-m", "-O", "-o", "-P",
                      "-p", "-Q", "-R", "-S", "-W", "-w"]),
}  # fmt: skip
"""Program → its options before the subcommand that take the next word as their value."""


class Verdict(Enum):
    """What a rule says of a command."""

    NO = "no"
    PERHAPS = "perhaps"
    """Only the shell knows a word that decides."""
    YES = "yes"


class WordRule(NamedTuple):
    """The parentheses of a rule as words; `*` in a word is the sign of `_WILD`."""

    program: str
    words: tuple[str, ...]
    has_more: bool
    """Whatever follows them fits too."""


@lru_cache(maxsize=1024)
def read(pieces: tuple[str, ...]) -> WordRule | None:
    """The rule whose text has these pieces between its wildcards; None: its words can't be told apart."""
    *front, last = pieces
    has_more = bool(front) and not last
    text = _WILD.join(front if has_more else pieces)
    words = split(text)
    if not words or not all(word.is_known for word in words):
        return None
    if has_more and not text[-1:].isspace():  # `push*`
        words[-1] = words[-1]._replace(text=words[-1].text + _WILD)
    return WordRule(words[0].text, tuple(word.text for word in words[1:]), has_more)


def denied(rule: WordRule, command: Sequence[Word]) -> Verdict:
    """Whether a command is the rule's, however its options stand."""
    if not command:
        return Verdict.NO
    if not command[0].is_known:
        return Verdict.PERHAPS
    if not _fits(rule.program, command[0].text):
        return Verdict.NO
    return _from_first(rule, command)


def _from_first(rule: WordRule, command: Sequence[Word]) -> Verdict:
    """The verdict on what stands behind the program: word by word of the rule from its last one, so in linear time."""
    valued = VALUED.get(command[0].text.rpartition("/")[2], frozenset())
    end = len(command)
    is_over = [Verdict.YES] * (end + 1)
    for at in range(end - 1, -1, -1):
        if not rule.has_more:
            is_over[at] = Verdict.NO if command[at].is_one or is_over[at + 1] is Verdict.NO else Verdict.PERHAPS
    found = is_over
    for wanted in reversed(rule.words):
        behind, found = found, [Verdict.NO] * (end + 1)
        found[end] = behind[end] if wanted == _WILD else Verdict.NO
        for at in range(end - 1, 0, -1):
            word = command[at]
            if wanted == _WILD:  # any words, or none
                found[at] = max(behind[at], found[at + 1], key=_WEIGHT)
            elif not word.is_known:
                found[at] = Verdict.PERHAPS
            elif _fits(wanted, word.text):
                found[at] = behind[at + 1]
            elif word.text.startswith(("-", "+")):  # `+nightly` of cargo
                found[at] = _behind_option(command, at, found, has_value=word.text in valued)
    return found[min(1, end)]


def _behind_option(command: Sequence[Word], at: int, found: Sequence[Verdict], *, has_value: bool) -> Verdict:
    """The verdict on what stands behind an option, of the verdicts on each later word."""
    if not has_value:
        return found[at + 1]
    if at + 1 < len(command) and not command[at + 1].is_one:
        return Verdict.PERHAPS
    return found[min(at + 2, len(command))]


_WEIGHT: Callable[[Verdict], int] = [Verdict.NO, Verdict.PERHAPS, Verdict.YES].index


def allowed(rule: WordRule, command: Sequence[Word]) -> bool:
    """Whether a command is the rule's word by word."""
    words = (rule.program, *rule.words)
    named = command[: len(words)]
    if any(_WILD in word for word in words) or len(named) < len(words):
        return False
    if not all(word.is_known and word.text == wanted for word, wanted in zip(named, words, strict=True)):
        return False
    return rule.has_more or len(command) == len(words)


def beginning(command: Sequence[Word]) -> str | None:
    """The program and its subcommands, as the text of a rule; None: that would allow too much."""
    named = list(takewhile(lambda word: word.is_known and _NAME.fullmatch(word.text), command))
    runs_anything = not named or named[0].text in _RUN_ANYTHING or carried(named, 0, len(named)) is not None
    return None if runs_anything or len(named) == 1 else " ".join(word.text for word in named)


def _fits(wanted: str, word: str) -> bool:
    if _WILD not in wanted:
        return wanted == word
    return re.fullmatch(".*".join(map(re.escape, wanted.split(_WILD))), word, re.DOTALL) is not None
