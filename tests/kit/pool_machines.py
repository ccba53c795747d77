"""A pool of engine `command` whose machines are processes of this one: real programs that start, list and end them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any

from overmind_core.domain.swarm.instance_names import swarm_and_instance
from tests.kit.overmind import Overmind
from tests.kit.processes import alive

HOMES = Path(f"/tmp/overmind-{os.geteuid()}/pools")
PROGRAM = """#!{python}
import json, os, signal, subprocess, sys
folder = {folder!r}
word, rest = sys.argv[1], sys.argv[2:]
if os.path.exists(folder + "/silent"):
    sys.exit("the engine is down")
def record(name):
    return os.path.join(folder, name + ".json")
def state(found):
    try:
        with open("/proc/%d/stat" % found["pid"]) as file:
            return "ended" if file.read().rpartition(")")[2].split()[0] == "Z" else "running"
    except OSError:
        return "ended"
if word == "up":
    name, command = rest[0], rest[1:]
    with open(folder + "/starts", "a") as file:
        file.write(name + "\\n")
    if os.path.exists(folder + "/deaf"):
        command = ["sleep", "1000"]
    log = open(os.path.join(folder, name + ".log"), "ab")
    how = dict(stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")
    process = subprocess.Popen(command, **how)
    with open(record(name), "w") as file:
        json.dump(dict(pid=process.pid, argv=rest[1:]), file)
    print(process.pid)
elif word == "list":
    for file in sorted(os.listdir(folder)):
        if file.endswith(".json"):
            with open(os.path.join(folder, file)) as text:
                print(file[:-5], state(json.load(text)))
elif word == "down":
    with open(record(rest[0])) as text:
        found = json.load(text)
    if state(found) == "running":
        os.kill(found["pid"], signal.SIGTERM)
"""


class PoolMachines:
    """The engine's folder, and the table of config.toml that names its program."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.program = folder / "machines"
        folder.mkdir()
        self.program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def configure(self, home: Overmind, **keys: Any) -> None:
        """Write the pool into a home's config.toml."""
        words: dict[str, Any] = {
            "engine": "command", "up": [str(self.program), "up", "{instance}"],
            "down": [str(self.program), "down", "{instance}"], "list": [str(self.program), "list"], **keys,
        }  # fmt: skip
        lines = [f"{key} = {_toml(value)}" for key, value in words.items()]
        Path(home.home, "config.toml").write_text("\n".join([f"[pools.{self.name}]", *lines, ""]))

    def starts(self) -> list[str]:
        """The names in the swarm of all that was started, in order."""
        try:
            names = (self.folder / "starts").read_text().split()
        except FileNotFoundError:
            return []
        return [found[1] for name in names if (found := swarm_and_instance(name)) is not None]

    def home(self, instance: str) -> Path:
        """The folder of an instance, which is called as the engine knows it."""
        return HOMES / self._file(instance, ".json").stem

    def pid(self, instance: str) -> int:
        """The process of an instance."""
        found: int = self._record(instance)["pid"]
        return found

    def argv(self, instance: str) -> list[str]:
        """The command of an instance."""
        found: list[str] = self._record(instance)["argv"]
        return found

    def log(self, instance: str) -> str:
        """What an instance has written."""
        return self._file(instance, ".log").read_text()

    def alive(self) -> list[str]:
        """The instances whose process lives."""
        return [one for one in self.starts() if alive(self.pid(one))]

    def end(self) -> None:
        """Kill what is left."""
        for one in self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid(one), signal.SIGKILL)

    def _record(self, instance: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._file(instance, ".json").read_text())
        return found

    def _file(self, instance: str, suffix: str) -> Path:
        """What the engine has written about an instance."""
        (found,) = self.folder.glob(f"overmind-????????-{instance}{suffix}")
        return found


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)
