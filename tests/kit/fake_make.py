"""A `make` for tests of what calls it: a shell script that does what a plan says, and notes each call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

Entry = tuple[str, str, str]
"""An entry of a report: file, name of the test, and the XML inside, such as `<failure message="no"/>`."""
FINE: Entry = ("tests/test_a.py", "test_fine", "")
_SCRIPT = """\
#!/bin/sh
folder=${0%/*}/plan
note() { (IFS='\t'; printf '%s\\n' "$*") >>"$folder/calls"; }
target=$1
note begin "$@" "SEED=${OVERMIND_TEST_SEED-}" "MUST=${OVERMIND_TEST_MUST-}" "NARROWED=${TESTS-}${ARGS-}"
number=1
while [ -e "$folder/$target.$number.done" ]; do number=$((number + 1)); done
: >"$folder/$target.$number.done"
while [ ! -e "$folder/$target.$number" ] && [ "$number" -gt 0 ]; do number=$((number - 1)); done
case $* in
*--junitxml=*) report=${*##*--junitxml=} report=${report%% *} ;;
*) report= ;;
esac
[ "$number" = 0 ] && step="$folder/usual" || step="$folder/$target.$number"
[ -z "$report" ] || [ ! -e "$step.xml" ] || cp "$step.xml" "$report"
. "$step"
note end "$target"
exit "$code"
"""
_STAYS = """\
trap 'note interrupted "$target"' INT
trap 'note terminated "$target"' TERM
(trap '' INT TERM; exec sleep 1000) &
note stays $$ $!
while :; do wait; done
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a target."""

    code: int = 0
    entries: Sequence[Entry] | None = (FINE,)
    """None: there is no report."""
    output: str = ""
    until: str = ""
    """Begin of a noted line, such as `end test-web`; the call waits for it before it prints its output."""
    stop: str = ""
    """The same, after its output."""
    stays: bool = False
    """The call and a child of it end by SIGKILL alone."""


class Call(NamedTuple):
    """A call that has begun."""

    target: str
    given: dict[str, str]
    """Variables of make; SEED, MUST and NARROWED (TESTS and ARGS) are of the environment."""


class FakeMake:
    """The program, in a folder of programs."""

    def __init__(self, folder: str) -> None:
        self._plan = os.path.join(folder, "plan")
        self.path = os.path.join(folder, "make")
        os.mkdir(self._plan)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(_SCRIPT)
        os.chmod(self.path, 0o700)
        self._write("usual", Step())
        open(os.path.join(self._plan, "calls"), "w", encoding="utf-8").close()

    def plan(self, target: str, *steps: Step) -> None:
        """Decide the calls of a target: the last step stands for all further ones."""
        for number, step in enumerate(steps, 1):
            self._write(f"{target}.{number}", step)

    def _write(self, name: str, step: Step) -> None:
        path = os.path.join(self._plan, name)
        lines = [
            f"code={step.code}",
            _wait(step.until),
            f"cat <<'END'\n{step.output}\nEND" if step.output else "",
            _wait(step.stop),
            _STAYS if step.stays else "",
        ]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        if step.entries is not None:
            write_report(f"{path}.xml", step.entries)

    def calls(self) -> list[list[str]]:
        """Return the noted lines: `begin`, `end`, `stays`, `interrupted` or `terminated`, and words."""
        with open(os.path.join(self._plan, "calls"), encoding="utf-8") as file:
            return [line.split("\t") for line in file.read().splitlines()]

    def note(self, *words: str) -> None:
        """Note a line, for a step that waits for it."""
        with open(os.path.join(self._plan, "calls"), "a", encoding="utf-8") as file:
            file.write("\t".join(words) + "\n")

    def begun(self) -> list[Call]:
        """Return all calls in their order."""
        return [
            Call(target, dict(word.split("=", 1) for word in words))
            for noted, target, *words in self.calls()
            if noted == "begin"
        ]


def _wait(line: str) -> str:
    tabbed = line.replace(" ", "\t")
    return f"until grep -q '^{tabbed}' \"$folder/calls\"; do sleep 0.05; done" if line else ""


def write_report(path: str, entries: Sequence[Entry]) -> None:
    """Write a report in the form `xunit1`; a test takes a second for each letter of its name."""
    cases = [
        f"<testcase classname='' file={quoteattr(file)} name={quoteattr(name)} time='{len(name)}'>{inside}</testcase>"
        for file, name, inside in entries
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
