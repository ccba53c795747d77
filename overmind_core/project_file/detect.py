"""The detection of a project: which services, files and commands the work in it needs. Reads files and runs nothing.

What git ignores is asked of whoever may run it.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator

from overmind_core.domain.isolation.isolation import ref_problem
from overmind_core.domain.isolation.project import ReadyCheck, ReadyKind, Service
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.problems import Problems
from overmind_core.project_file import proposal
from overmind_core.project_file.proposal import Detected, Proposal, distinct

COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""In the order in which compose itself looks."""
LINKED = "node_modules"
WORKSPACES = ("pnpm-workspace.yaml", "lerna.json")
"""Files of projects whose packages find each other through links in `node_modules`."""
SECRETS = ("config/master.key", "config/credentials/development.key", "config/credentials/test.key")
"""Files of Rails that git ignores, without which nothing starts."""
SKIPPED = frozenset({"node_modules", "vendor", "dist", "build", "target", "venv", "tmp"})
"""Folders in which no part of a project is looked for; hidden ones are neither."""
DEPTH = 2
"""Of the folders that are looked into: apps/web."""
MOST_FOLDERS = 500
MAKE_TARGETS = ("deps", "setup", "bootstrap")
"""Not `install`, which tends to mean the machine."""
LOCKS = {
    "pnpm-lock.yaml": ("pnpm", "pnpm install --frozen-lockfile"),
    "yarn.lock": ("yarn", "yarn install --frozen-lockfile"),
    "bun.lock": ("bun", "bun install --frozen-lockfile"),
    "package-lock.json": ("npm", "npm ci"),
}
SCRIPTS = ("dev", "start", "serve")
SAMPLES = ("example", "sample", "template", "dist", "defaults", "test")
"""Ends of `.env` files that are tracked."""
ONCE = ("release",)
"""In a Procfile: runs before the others and ends."""
BRANCHES = ("main", "master", "trunk")
MOST_BYTES = 1024 * 1024
"""Of a file that is looked at."""
LONGEST_COMMAND = 500
"""Characters."""

_PROCESS = re.compile(r"[A-Za-z0-9_-]+")

Ignored = Callable[[Collection[str]], Collection[str]]
"""Which of these paths, relative to the top of the project, git ignores."""


def detect(top: str, ignored: Ignored, hooks: str | None = None) -> Detected:
    """Look at the project in a folder, a path of the system. What can't be read does not exist.

    `hooks`: the folder of git's hooks, relative to the top, where that is not committed.
    """
    look = _Inspection(top, ignored)
    look.compose()
    look.procfile()
    look.python()
    look.ruby()
    look.go()
    look.node()
    look.makefile()
    copy = (*look.env_files, *([hooks] if hooks is not None and _is_plain(hooks) else []))
    if copy:
        look.found.append(", ".join(copy))
    return Detected(
        proposals=distinct(look.proposals),
        copy=copy,
        link=tuple(look.link),
        setup=tuple(look.setup),
        other_setup=tuple(look.other_setup),
        main_branch=_main_branch(top),
        found=tuple(look.found),
        problems=tuple(look.problems),
    )


class _Inspection:
    """One look at a project."""

    def __init__(self, top: str, ignored: Ignored) -> None:
        self.top = top
        inside = list(_folders(top))
        self.packages = [folder for folder in inside if self.has(os.path.join(folder, "package.json"))]
        folders = [os.path.join(folder, LINKED) for folder in self.packages]
        folders = [name for name in folders if self.has(name)]
        variables = [name for folder in inside for name in _env_files(top, folder)]
        variables += [name for name in SECRETS if self.has(name)]
        left_out = ignored([*folders, *variables])
        self.linked = [name for name in folders if name in left_out]
        self.env_files = tuple(name for name in variables if name in left_out)
        self.proposals: list[Proposal] = []
        self.setup: list[str] = []
        self.other_setup: list[str] = []
        self.link: list[str] = []
        self.found: list[str] = []
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        data = content(self._path(name))
        return None if data is None else to_wire(data.decode(errors="replace").replace("\x00", ""))

    def has(self, name: str) -> bool:
        return os.path.exists(self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self.top, name)

    def compose(self) -> None:
        name = next((one for one in COMPOSE if self.has(one)), None)
        data = None if name is None else content(self._path(name))
        if name is None or data is None:
            return
        try:
            found = proposal.proposals(data, name, proposal.variables(content(self._path(".env")) or b""))
        except Problems as problems:
            first = problems.problems[0]
            self.problems.append(f"{name}:{first.line}:{first.column}: {first.message}")
            return
        self.proposals += found.proposals
        if found.proposals:
            self.found.append(f"{name} ({_counted(len(found.proposals), 'container')})")
        if found.built:
            self.problems.append(f"{name}: no image to pull for {', '.join(found.built)}: skipped")
        if found.left_out:
            self.problems.append(f"{name}: not imported: {', '.join(found.left_out)}")
        if left := sum(len(one.left_out) for one in found.proposals):
            where = sum(bool(one.left_out) for one in found.proposals)
            services = _counted(where, "container")
            self.problems.append(f"{name}: {_counted(left, 'setting')} of {services} not imported: the file names them")
        if named := sum(len(one.references) for one in found.proposals):
            words = "1 variable names" if named == 1 else f"{named} variables name"
            self.problems.append(f"{name}: {words} the host of another container: they need your edit, see the file")

    def procfile(self) -> None:
        lines = [line.partition(":") for line in (self.text("Procfile") or "").splitlines()]
        pairs = [
            (name, command.strip())
            for name, _, command in lines
            if _PROCESS.fullmatch(name) and name not in ONCE and _is_command(command.strip())
        ]
        for name, command in pairs:
            listens = name == "web" or "$PORT" in command or "${PORT" in command
            port, ready = (3000, ReadyCheck(ReadyKind.TCP)) if listens else (None, None)
            service = Service(name, command=command, port=port, restart="on-failure", ready=ready)
            self.proposals.append(Proposal(service, "Procfile"))
        if pairs:
            self.found.append(f"Procfile ({_counted(len(pairs), 'process', 'processes')})")

    def node(self) -> None:
        written = self.text("package.json")
        if written is None:
            return
        try:
            package = json.loads(written)
        except (ValueError, RecursionError):
            self.problems.append("package.json: this is not valid JSON")
            return
        lock = next((one for one in LOCKS if self.has(one)), None)
        program, install = LOCKS[lock] if lock else ("npm", "npm install")
        self.found.append(f"package.json ({program})")
        # The packages of a workspace are links in node_modules: linked, they would be the person's, not the worktree's.
        own = (isinstance(package, dict) and "workspaces" in package) or any(map(self.has, WORKSPACES))
        linked = [] if own else self.linked
        self.link += linked
        (self.other_setup if LINKED in linked else self.setup).append(install)
        scripts = package.get("scripts") if isinstance(package, dict) else None
        scripts = scripts if isinstance(scripts, dict) else {}
        script = next((one for one in SCRIPTS if isinstance(scripts.get(one), str)), None)
        if script is None or any(one.service.command is not None for one in self.proposals):
            return
        command, port = f"{program} run {script}", 3000
        if "vite" in scripts[script]:  # which does not look at PORT
            command, port = f"{command} {'-- ' if program == 'npm' else ''}--port $PORT", 5173
        service = Service("web", command=command, port=port, restart="on-failure", ready=ReadyCheck(ReadyKind.TCP))
        self.proposals.append(Proposal(service, "package.json"))

    def python(self) -> None:
        if self.has("uv.lock"):
            self.found.append("uv.lock")
            self.setup.append("uv sync")
        elif self.has("requirements.txt"):
            self.found.append("requirements.txt")
            self.setup.append("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
        elif self.has("pyproject.toml"):
            self.found.append("pyproject.toml")
            self.setup.append("python3 -m venv .venv && .venv/bin/pip install -e .")
        if self.has("manage.py"):
            program = "uv run python" if self.has("uv.lock") else ".venv/bin/python" if self.setup else "python3"
            self._serve("manage.py", f"{program} manage.py runserver $PORT", 8000)
            self.other_setup.append(f"{program} manage.py migrate")

    def ruby(self) -> None:
        if not self.has("Gemfile"):
            return
        self.found.append("Gemfile")
        self.setup.append("bundle install")
        if self.has("bin/rails"):
            self._serve("bin/rails", "bin/rails server --port $PORT --pid tmp/server.pid", 3000)
            self.other_setup.append("bin/rails db:prepare")

    def go(self) -> None:
        if self.has("go.mod"):
            self.found.append("go.mod")
            self.setup.append("go mod download")

    def _serve(self, origin: str, command: str, port: int) -> None:
        """A server, where nothing else says how one is started."""
        self.found.append(origin)
        if not any(one.service.command is not None for one in self.proposals):
            service = Service("web", command=command, port=port, restart="on-failure", ready=ReadyCheck(ReadyKind.TCP))
            self.proposals.append(Proposal(service, origin))

    def makefile(self) -> None:
        targets = set(re.findall(r"^([A-Za-z0-9_-]+)[ \t]*:(?!=)", self.text("Makefile") or "", re.MULTILINE))
        target = next((one for one in MAKE_TARGETS if one in targets), None)
        if target is not None:  # it does what the project's people do, so the guesses are second
            self.other_setup = [*self.setup, *self.other_setup]
            self.setup = [f"make {target}"]
            self.found.append(f"Makefile ({target})")


def _folders(top: str) -> Iterator[str]:
    """The top as "", and folders below it in which parts of the project may be, relative to it."""
    waiting = [""]
    for _ in range(MOST_FOLDERS):
        if not waiting:
            return
        folder = waiting.pop(0)
        yield folder
        if folder.count(os.sep) + bool(folder) < DEPTH:
            waiting += [os.path.join(folder, name) for name in _subfolders(os.path.join(top, folder))]


def _subfolders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith(".") and name not in SKIPPED and _is_plain(name))


def _is_plain(name: str) -> bool:
    return name.isprintable() and not any(sign in name for sign in "*?[\\")


def _env_files(top: str, folder: str) -> tuple[str, ...]:
    try:
        names = sorted(os.listdir(os.path.join(top, folder)))
    except OSError:
        return ()
    return tuple(
        os.path.join(folder, name)
        for name in names
        if re.fullmatch(r"\.env(\.[A-Za-z0-9_-]+)*", name)
        and name.rpartition(".")[2] not in SAMPLES
        and os.path.isfile(os.path.join(top, folder, name))
    )


def content(path: str) -> bytes | None:
    """Return what a file says; None when it can't be read, is no regular file or is too large to be looked at."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MOST_BYTES:
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MOST_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _main_branch(top: str) -> str | None:
    """What the repository's main branch is called, as far as its files say it."""
    head = (content(os.path.join(top, ".git", "refs", "remotes", "origin", "HEAD")) or b"").decode(errors="replace")
    found = re.fullmatch(r"ref: refs/remotes/origin/(\S+)\s*", head)
    if found is not None and found[1].isascii() and ref_problem(found[1]) is None:
        return found[1]
    heads = os.path.join(top, ".git", "refs", "heads")
    return next((name for name in BRANCHES if os.path.isfile(os.path.join(heads, name))), None)


def _is_command(command: str) -> bool:
    return 0 < len(command) <= LONGEST_COMMAND and "\ufffd" not in command


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
