"""A project whose missions are isolated, and the proof that nobody but them was touched and nothing of them is left."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from tests.kit import processes
from tests.kit.overmind import FINAL, Overmind
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

WAIT = "until [ -e ~/{gate} ]; do sleep 0.05; done"
HOOK = "#!/bin/sh\necho >> ~/worktree.at\n" + WAIT.format(gate="worktree") + "\n"
RM = f"""\
#!/bin/sh
for path; do /bin/rm -f "$path/a.txt"; done
echo >> ~/rm.at
{WAIT.format(gate="rm")}
exec /bin/rm "$@"
"""
PROJECT = f"""\
services:
  web:
    command: |
      echo >> ~/web.at; {WAIT.format(gate="web")}; echo up at $PORT; exec sleep 1000
    port: 3000
    ready: {{ log: up at }}
isolation:
  port_range: 22100-22999
  copy: [.env]
  setup:
    - |
      echo >> ~/setup.at; {WAIT.format(gate="setup")}; [ ! -e ~/fail ] && echo set > set.log
"""
"""Each of its steps says that it has come, and waits until it may go on: `worktree`, `setup`, `web`."""
GATES = ("worktree", "setup", "web")


class Project(Repository):
    """A repository with a trusted `.overmind.yml`, in the world of one home."""

    def __init__(self, om: Overmind, text: str | None = PROJECT, name: str = "shop") -> None:
        super().__init__(os.path.join(om.environment["HOME"], name))
        self.om = om
        self.commit("first", {"a.txt": "one\n", "sub/b.txt": "b\n", ".gitignore": "*.log\n.env\n"} | _file(text))
        self.write({".env": "KEY=1\n"})
        om.ok(*(("start",) if text is None else ("trust", self.folder)))
        self.before = self.facts()

    # the person's own

    def facts(self) -> dict[str, Any]:
        """All of the person's own: files, branches, what is checked out, staged and stashed, settings and hooks."""
        refs = self.git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/stash").splitlines()
        head, branch = self.git("rev-parse", "HEAD", "--symbolic-full-name", "HEAD").splitlines()
        return {
            "head": head,
            "branch": branch,
            "status": [line for line in self._status() if line != "!! .overmind/"],
            "stash": self.git("stash", "list") if "refs/stash" in refs else "",
            "branches": [one for one in refs if not one.startswith("refs/heads/overmind/")],
            "config": self.read(".git/config"),
            "hooks": sorted(os.listdir(self.path(".git", "hooks"))),
            "index": self.git("ls-files", "--stage"),
        }

    def _status(self) -> list[str]:
        return self.git("status", "--porcelain", "--ignored").splitlines()

    def branches(self) -> list[str]:
        """Names of all branches."""
        return self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()

    def assert_untouched(self) -> None:
        """The person's checkout is as it was, but for our own folder."""
        assert self.facts() == self.before
        assert not os.path.exists(self.path(".git", "index.lock"))

    # missions

    def worktree_of(self, mission: str) -> str:
        """Return where a mission's worktree is."""
        return self.path(".overmind", "worktrees", mission)

    def run(self, command: str | list[str] = "exec sleep 1000", name: str = "api", **how: Any) -> str:
        """Start a mission without waiting until it is prepared; return its id."""
        env = self.environ | {"HOME": self.om.environment["HOME"], processes.MARKER: self._marker}
        answer = self.om.api("run", **{"command": command, "cwd": self.folder, "env": env, "name": name, **how})
        return str(answer["id"])

    def assert_nothing_left(self, *, but: Sequence[str] = ()) -> None:
        """No worktree, branch, port or process is left, but of the missions in `but`."""
        eventually(lambda: self.is_nothing_left(but), what="nothing is left")

    def is_nothing_left(self, but: Sequence[str] = ()) -> bool:
        """The same at this moment: an assertion fails, or it is true."""
        folder, known = self.path(".overmind", "worktrees"), self.path(".git", "worktrees")
        for one in (folder, known):
            names = os.listdir(one) if os.path.isdir(one) else []
            assert [name for name in names if name.partition(".")[0] not in but] == [], one
        assert len([one for one in self.branches() if one.startswith("overmind/")]) <= len(but)
        held = [row for row in self.om.api("ports")["ports"] if row["held"] and row["mission"] not in but]
        assert held == []
        services = [row for row in self.om.api("ps") if row["status"] not in FINAL and "/" in row["name"]]
        assert [row["name"] for row in services if row["parent"] not in but] == []
        assert self._gits() == []
        self.assert_untouched()
        return True

    def _gits(self) -> list[str]:
        """Every git of ours that runs for this person, and its hooks."""
        found = processes.of_person(self.om.environment["HOME"])
        return [row for row in found if "git -c core" in row or "post-checkout" in row]

    @property
    def _marker(self) -> str:
        return self.om.environment[processes.MARKER]


class Gates:
    """Where `PROJECT` waits: each gate is a file in the person's home."""

    def __init__(self, om: Overmind) -> None:
        self._folder = om.environment["HOME"]

    def hook(self, project: Project) -> None:
        """Have the worktree wait, too, in a hook of git's."""
        path = project.path(".git", "hooks", "post-checkout")
        with open(path, "w") as file:
            file.write(HOOK)
        os.chmod(path, 0o755)
        project.before = project.facts()

    def slow_removal(self, om: Overmind) -> None:
        """Have everything that a daemon deletes from now on wait at `rm`, half deleted."""
        programs = self._file("programs")
        os.makedirs(programs, exist_ok=True)
        with open(os.path.join(programs, "rm"), "w") as file:
            file.write(RM)
        os.chmod(file.name, 0o755)
        om.environment["PATH"] = f"{programs}:{om.environment['PATH']}"

    def open(self, *names: str) -> None:
        """Let everything through here from now on."""
        for name in names:
            with open(self._file(name), "w"):
                pass

    def shut(self, *names: str) -> None:
        """No longer."""
        for name in names:
            with suppress(FileNotFoundError):
                os.unlink(self._file(name))

    def hold_at(self, gate: str) -> None:
        """Have everything wait at this gate and behind it, and forget who came before."""
        for number, name in enumerate(GATES):
            self.shut(name, f"{name}.at")
            if number < GATES.index(gate):
                self.open(name)

    def reached(self, name: str) -> int:
        """How often somebody has come to this gate."""
        try:
            with open(self._file(f"{name}.at")) as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    def await_at(self, name: str) -> None:
        """Wait until somebody is there."""
        eventually(lambda: self.reached(name), timeout=20.0, what=f"somebody is at {name}")

    def _file(self, name: str) -> str:
        return os.path.join(self._folder, name)


def _file(text: str | None) -> dict[str, str]:
    return {} if text is None else {".overmind.yml": text}
