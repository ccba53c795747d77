"""Which commands a shell becomes: what they print and how they end stays."""

from __future__ import annotations

import subprocess

from overmind_core.domain.shell.executed import executed
from tests.kit.cases import tabled


@tabled(
    "command",
    [
        "python3",
        "vim notes.txt",
        "  ssh -p 22 me@host  ",
        "/usr/bin/env A=1 printf x",
        "git commit -m 'a; b $c'",
        'grep "a b" file',
        "less ~/notes",
    ],
)
def test_a_program_with_its_arguments_takes_the_place_of_the_shell(command):
    assert executed(command) == f"exec {command.strip()}"


@tabled(
    "command",
    [
        "",
        " ",
        "A=1 python3",
        "python3; true",
        "python3 && true",
        "a | b",
        "python3 > out",
        "python3 &",
        "(python3)",
        "echo $HOME",
        'echo "$HOME"',
        "ls *.py",
        "true",
        "cd src",
        "exec python3",
        "! grep x file",
        "if true",
        "while :",
        "time make",
        "pushd src",
        "python3\nruby",
        "python3 # now",
        "'python3'",
        "a 'open",
        'a "open',
        "a\\ b",
        "échec",
    ],
)
def test_what_a_shell_has_more_to_do_with_stays(command):
    assert executed(command) == command


@tabled(
    "command",
    [
        "/bin/echo one 'two  three' \"four  five\" a=b ~ -x",
        "/bin/sh -c 'exit 3'",
        "no-such-program-anywhere x",
        "/etc/passwd",
        "/ x",
    ],
)
def test_it_prints_and_ends_as_it_would_below_the_shell(command):
    below, instead = (
        subprocess.run(["/bin/sh", "-c", one], capture_output=True, text=True, check=False)
        for one in (command, executed(command))
    )
    assert executed(command) != command
    assert (instead.returncode, instead.stdout) == (below.returncode, below.stdout)
    assert bool(instead.stderr) == bool(below.stderr)
