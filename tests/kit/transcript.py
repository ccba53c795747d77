"""Console blocks of a page: what is typed in them, what they say comes back, and whether that is what came.

What differs from one time to the next counts by its form: ids, pids, names that were drawn, logins, times, durations,
sizes, costs, ports. What stands for one mission stands for that one on the whole page, in commands as well. `…` or
`...` at the end of a line is any rest, and a line of nothing else any lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
_REMARK = re.compile(r"\s{2,}#\s.*$")
_FORMS = re.compile(
    r"""(?x)
    (?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+Z|[ ]\d\d:\d\d(?::\d\d)?[ ](?:[A-Z]{2,5}|[+-]\d+)))
  | (?P<clock>\b\d\d:\d\d:\d\d\b)
  | (?P<folder>/tmp/overmind-headless-\w+)
  | (?P<note>\bN-[0-9a-hjkmnp-tv-z]{10}\b)
  | (?P<person>(?<![/\w])ada(?![/\w]))
  | (?P<id>\b(?=[a-f]*\d)[0-9a-f]{8}\b)
  | (?P<commit>\b(?=[a-f]*\d)[0-9a-f]{9,12}\b|^[0-9a-f]{7}(?=[ ]))
  | (?P<pid>(?<=PID[ ])\d+)
  | (?P<port>\b3[1-9]\d\d\b)
  | (?P<cost>\$\d+\.\d\d\b)
  | (?P<tokens>\b\d+(?:\.\d+)?k?[ ](?:in|out)\b)
  | (?P<took>,[ ]\d+\.\d[ ]s\b)
  | (?P<size>\b\d+(?:\.\d+)?[ ]?[kKMG]i?B\b)
  | (?P<time>\b\d+(?:\.\d+)?[ ]?(?:ms|s|m|h|d)\b)
  | (?P<cpus>\b\d+(?=[ ]cpu\b))
  | (?P<version>(?<![\d.])\d+\.\d+\.\d+(?![\d.]))
  | (?P<fraction>(?<![\d.])\.\d+\b)
  | (?P<number>\b\d+\.\d+\b)
  | (?P<count>\b\d+$|\b\d+(?=\s\s))
  | (?P<value>(?<=[:\[,])\d+(?=[,\]}]))
  | (?P<rest>(?:…|\.\.\.)$)
  | (?P<room>\s\s+|\s(?=-\s|-$))
    """
)
_PATTERNS = {
    "moment": r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z| [A-Z]{2,5}| [+-]\d+)",
    "clock": r"\d\d:\d\d:\d\d",
    "folder": r"/\S+",
    "commit": r"[0-9a-f]{7,12}",
    "cost": r"\$\d+\.\d\d",
    "tokens": r"\d+(?:\.\d+)?k? (?:in|out)",
    "took": r"(?:, \d+(?:\.\d)? m?s)?",
    "size": r"\d+(?:\.\d+)? ?[kKMG]i?B",
    "time": r"\d+(?:\.\d+)? ?(?:ms|s|m|h|d)(?: ?\d+ ?(?:s|m|h))?",
    "cpus": r"\d+",
    "version": r"\d+\.\d+\.\d+\w*",
    "fraction": r"\.?\d+",
    "number": r"\d+(?:\.\d+)?",
    "count": r"\d+",
    "value": r"\d+(?:\.\d+)?",
    "person": r"[\w.-]+",
    "rest": r".*",
    "room": r"\s+",
}
_STANDS_FOR = {
    "id": r"[0-9a-f]{8}",
    "name": r"[a-z]+-[a-z]+",
    "note": r"N-[0-9a-z]{10}",
    "pid": r"\d+",
    "port": r"\d+",
}
"""Forms that stand for one and the same thing wherever they are on the page."""
_DRAWN = re.compile(r"^(?:Started mission [0-9a-f]{8} \(|overmind: )([a-z]+-[a-z]+)(?=\)$|: )", re.MULTILINE)
_EXAMPLES = re.compile(r"\$\d+\.\d\d\s\s+\d|\s(?:ssh|gate)\s\s?(?:open|closed|silent|draining)\s\s")
"""A row of a table of costs, or of machines, in which all figures are examples."""


class Step(NamedTuple):
    """One command of a page, and what the page says comes back."""

    line: int
    """Of the page, from 1."""
    command: str
    """Without its remark."""
    said: tuple[str, ...]
    """Lines; none where the page shows only what to type."""


def steps(text: str) -> Iterator[Step]:
    """The steps of all console blocks of a page, in their order."""
    for block in _BLOCK.finditer(text):
        first = text[: block.start(1)].count("\n") + 1
        lines = block[1].splitlines()
        begins = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        for number, end in zip(begins, [*begins[1:], len(lines)], strict=True):
            command = _REMARK.sub("", lines[number][2:])
            yield Step(first + number, command, tuple(line.rstrip() for line in lines[number + 1 : end]))


class Meanings:
    """What the ids, pids, ports and drawn names of one page stand for this time."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}

    def command(self, written: str) -> str:
        """The command with what they stand for."""
        for name, meaning in self._of.items():
            written = re.sub(rf"\b{re.escape(name)}\b", meaning, written)
        return written

    def fits(self, step: Step, printed: str, *, sort: bool = False) -> bool:
        """Whether that came which the page says; then what was new in it has its meaning.

        Args:
            step: Of the page.
            printed: What was printed.
            sort: Lines may come in another order.
        """
        drawn = set(_DRAWN.findall("\n".join(step.said))) - set(step.command.split())
        drawn |= {name for name in self._of if not name.isalnum()}
        groups: dict[str, str] = {}
        expected = [self._pattern(line, drawn, groups) for line in step.said]
        lines = [line.rstrip() for line in printed.splitlines()]
        if sort:
            expected, lines = _paired(expected, lines)
        found = re.fullmatch("".join(expected), "".join(line + "\n" for line in lines))
        if found is None:
            return False
        self._of |= {name: found[group] for name, group in groups.items()}
        return True

    def _pattern(self, line: str, drawn: set[str], groups: dict[str, str]) -> str:
        if line.strip() in {"…", "..."}:
            return r"(?:.*\n)*"
        named = rf"|(?P<name>\b(?:{'|'.join(drawn)})\b)" if drawn else ""
        forms = re.compile(_FORMS.pattern + named, re.VERBOSE)
        made, at = "", 0
        for found in forms.finditer(line):
            if found.lastgroup != "count" or _EXAMPLES.search(line):
                made += re.escape(line[at : found.start()]) + self._form(found, groups)
                at = found.end()
        return made + re.escape(line[at:]) + r"\n"

    def _form(self, found: re.Match[str], groups: dict[str, str]) -> str:
        kind, text = str(found.lastgroup), found[0]
        if text in self._of:
            return re.escape(self._of[text])
        if kind not in _STANDS_FOR:
            return _PATTERNS[kind]
        if text in groups:
            return f"(?P={groups[text]})"
        groups[text] = f"g{len(groups)}"
        return f"(?P<{groups[text]}>{_STANDS_FOR[kind]})"


def _paired(patterns: list[str], lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines in the order of the patterns that they fit, as far as they do; what fits none comes last."""
    left, ordered = list(lines), []
    for pattern in patterns:
        plain = re.sub(r"\(\?P<\w+>", "(?:", re.sub(r"\(\?P=\w+\)", r"\\w+", pattern))
        fitting = next((line for line in left if re.fullmatch(plain, line + "\n")), None)
        if fitting is not None:
            left.remove(fitting)
            ordered.append(fitting)
    return patterns, [*ordered, *left]


def replaced(text: str, names: Mapping[str, str]) -> str:
    """The text with other names of folders, say."""
    for name, other in names.items():
        text = text.replace(name, other)
    return text
