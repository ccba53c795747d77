"""What `isolate` answers: what a mission in a folder would get for itself. Looks at everything, changes nothing."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from overmind_core.domain.isolation.isolation import OWN, text_of
from overmind_core.domain.isolation.project import FILE, Project, Strategy
from overmind_core.domain.isolation.saga import steps
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.submodules import submodule_notes
from overmind_core.git.worktree_base import find_base
from overmind_core.git.worktree_gaps import absent_filters, filter_gaps, untracked_hooks
from overmind_core.isolation.errors import git_failed, no_commits
from overmind_core.isolation.ports import choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.isolation.answer_types import IsolationPlan, ProjectFacts
    from overmind_core.isolation.projects import Inspected
    from overmind_core.isolation.workspace import Workspace

MISNAMED = ".overmind.yaml"
NO_FILE = "No .overmind.yml: missions here are isolated only with --isolate."
NO_REPOSITORY = "Not a git repository: missions get their own ports and services, but no worktree."
SHARED = "This folder is in a mission's worktree: missions started here share it, unless --isolate is given."
ONE_AT_A_TIME = "strategy: none gives each service the port it asks for, so only one mission can run at a time."


async def explain(workspace: Workspace, cwd: str, environ: Mapping[str, str]) -> IsolationPlan:
    """Everything about the project of a folder; what is wrong is in the answer. Texts in wire form."""
    try:
        looked = await workspace.projects.inspect(cwd, environ)
    except OvermindError as error:
        return _unusable(cwd, error)
    project = Project() if looked.found is None else looked.found.project
    worktree = looked.repository is not None and project.worktree
    ports, exhausted_range = await workspace.in_thread(_ports, project, _held(workspace))
    base: str | None = None
    no_base: list[str] = []
    lacking: list[str] = []
    if worktree:
        git = Git({from_wire(name): from_wire(value) for name, value in environ.items()}, home=workspace.home)
        base, no_base = await workspace.in_thread(_base, looked, project, git)
        lacking = await workspace.in_thread(_lacking, looked, project, git)
    absent = await workspace.in_thread(_absent, looked.source, project) if worktree else []
    engine, engine_problem = await _engine(workspace, project, environ)
    return {
        **_facts(looked),
        "problems": [*no_base, *exhausted_range],
        "branch": _branch(project) if worktree else None,
        "base": base,
        "worktree": worktree,
        "steps": [
            {"step": str(one), "text": text_of(one, project, ports, base or "the current checkout")}
            for one in steps(project, worktree=worktree)
        ],
        "ports": [
            {"service": name or None, "port": ports.get(name), "wanted": wanted}
            for name, wanted in _wishes(project).items()
        ],
        "engine": engine,
        "engine_problem": engine_problem,
        "notes": [*_notes(looked, project), *absent, *lacking],
    }


def _facts(looked: Inspected) -> ProjectFacts:
    found = looked.found
    from overmind_core.project_file.file import commands  # noqa: PLC0415 - YAML is for those who have such a file

    return {
        "source": to_wire(looked.source),
        "repository": looked.repository is not None,
        "path": None if found is None else to_wire(found.path),
        "sha256": None if found is None else found.sha256,
        "trusted": found is None or looked.trusted,
        "changed": looked.changed,
        "commands": [] if found is None else list(commands(found.project)),
    }


def _unusable(cwd: str, error: OvermindError) -> IsolationPlan:
    """The file has mistakes, or git can't tell about the folder."""
    path, problems = error.fields.get("path"), error.fields.get("problems")
    return {
        "source": str(error.fields.get("source", cwd)),
        "repository": False,
        "path": None if path is None else str(path),
        "trusted": False,
        "changed": False,
        "worktree": False,
        "sha256": None,
        "branch": None,
        "base": None,
        "engine": None,
        "engine_problem": None,
        "commands": [],
        "steps": [],
        "ports": [],
        "notes": [],
        "problems": problems if isinstance(problems, list) else [error.message],
    }


def _notes(looked: Inspected, project: Project) -> list[str]:
    notes = {
        NO_FILE: looked.found is None,
        f"{MISNAMED} is not read: its name has to be {FILE}.": looked.found is None and _is_misnamed(looked.source),
        NO_REPOSITORY: looked.repository is None,
        SHARED: looked.shared,
        ONE_AT_A_TIME: project.strategy is Strategy.NONE and bool(project.services),
    }
    below = _file_below(looked)
    unread = [] if below is None else [f"{below} is not read: only {FILE} at the top of the repository is."]
    return [*(note for note, applies in notes.items() if applies), *unread]


def _file_below(looked: Inspected) -> str | None:
    """The project's file between a folder and the top of its repository, where it counts for nothing."""
    folder = "" if looked.repository is None else looked.subfolder
    while folder:
        path = os.path.join(looked.source, folder, FILE)
        if os.path.lexists(path):
            return to_wire(path)
        folder = os.path.dirname(folder)
    return None


def _is_misnamed(source: str) -> bool:
    return os.path.lexists(os.path.join(source, MISNAMED))


def _branch(project: Project) -> str:
    return project.branch.replace("{name}", "<name>").replace("{id}", "<id>")


def _base(looked: Inspected, project: Project, git: Git) -> tuple[str | None, list[str]]:
    """What the branch would begin at, and why that can't be."""
    repository = looked.repository
    assert repository is not None
    if repository.head is None:
        return None, [no_commits(to_wire(looked.source)).message]
    wanted = None if project.base is None else from_wire(project.base)
    try:
        return to_wire(find_base(git, repository, wanted, fetch=False).name), []
    except GitFailed as error:
        return project.base, [git_failed(error).message]


def _lacking(looked: Inspected, project: Project, git: Git) -> list[str]:
    """What a worktree would not have, or do."""
    repository = looked.repository
    assert repository is not None
    try:
        gaps = filter_gaps(git, repository.top, absent_filters(git, repository.top))
        notes = submodule_notes(git, repository)
        hooks = untracked_hooks(git, repository.top)
    except GitFailed as error:
        return [git_failed(error).message]
    if hooks is not None and not any(_covers(from_wire(one), hooks) for one in (*project.copy, *project.link)):
        notes.append(f"{hooks}: core.hooksPath names it, and it is not committed: no hook runs in a worktree. "
                     "Add it to `copy`, unless `setup` creates it")  # fmt: skip
    capital = [text[:1].upper() + text[1:] for text in notes]
    return [f"{to_wire(text)}." for text in (*(one.text for one in gaps), *capital)]


def _covers(pattern: str, path: str) -> bool:
    """Whether something of `path` is copied or linked by a pattern."""
    plain = pattern.rstrip("/")
    return f"{path}/".startswith(f"{plain}/") or plain.startswith(f"{path}/") or fnmatchcase(path, plain)


def _absent(source: str, project: Project) -> list[str]:
    """What is to be copied or linked, and does not exist."""
    from overmind_core.isolation.copy_files import Matching, TooMany  # noqa: PLC0415 - same

    matching = Matching(source)
    found = []
    for pattern in project.copy:
        try:
            if next(iter(matching.matches(from_wire(pattern))), None) is None:
                found.append(f"Nothing to copy: {pattern} does not exist.")
        except (TooMany, RecursionError, OSError):
            found.append(f"Can't expand {pattern}: too many files to search.")
    found += [
        f"Nothing to link: {path} does not exist."
        for path in project.link
        if not os.path.lexists(os.path.join(source, from_wire(path)))
    ]
    return found


def _wishes(project: Project) -> dict[str, int | None]:
    """Service → the port that the file names."""
    own = {} if project.strategy is Strategy.NONE else {OWN: None}
    return own | {key: port for one in project.services for key, port in one.ports.items()}


def _held(workspace: Workspace) -> dict[int, str]:
    """Port → the mission that holds it."""
    workspace.journal.flush()
    return {row.port: row.mission for row in workspace.port_table.all() if row.held}


def _ports(project: Project, held: Mapping[int, str]) -> tuple[dict[str, int], list[str]]:
    """The ports that a mission would get now, and why there are none."""
    try:
        return choice(project, {}, held), []
    except OvermindError as error:
        return {}, [error.message]


async def _engine(workspace: Workspace, project: Project, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    if not project.containers:
        return None, None
    try:
        return await workspace.engines.find(environ), None
    except OvermindError as error:
        return None, error.message
