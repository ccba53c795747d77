"""The folder of the spec's demonstration, below the home: the shop under git, and the agents' script and program."""

from __future__ import annotations

import json
import os
import shlex

from overmind_core.demo import project, spec_documents
from overmind_core.demo.spec_script import script

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FOLDER = "demo-spec"
"""In the home."""
LABEL = "spec"
"""The value of the label `demo` of its missions."""
AGENT = "bin/agent"
VERIFY = "./test"
SCRIPT = "script.json"
SOURCES = {**project.SOURCES, "pages.py": spec_documents.pages("prices"), ".gitignore": "carts/\n__pycache__/\n"}
"""File → text, as they are when it begins."""
OWN = {
    "user.name": "demo",
    "user.email": "demo@localhost",
    "commit.gpgSign": "false",
    "core.hooksPath": os.devnull,
    "core.autocrlf": "false",
}
"""What git is told in this repository, so that a person's own settings stop nothing here."""


def write(root: str, environ: Mapping[str, str]) -> bool:
    """Make the folder as it is at the beginning; whether there is a git to put the shop under.

    Raises:
        OSError: it can't be written.
    """
    os.makedirs(os.path.dirname(os.path.join(root, AGENT)), mode=0o700, exist_ok=True)
    path = os.path.join(root, SCRIPT)
    project.put(path, json.dumps(script(), indent=1, ensure_ascii=False))
    programs = {AGENT: f"spec_agent {shlex.quote(path)}", f"{project.SHOP}/test": "tests"}
    project.write_shop(root, SOURCES, programs)
    return project.begin_history(os.path.join(root, project.SHOP), environ, settings=OWN)


def request(root: str) -> dict[str, Any]:
    """What the request `spec_new` says of it, beside what every caller says."""
    return {
        "title": spec_documents.TITLE,
        "brief": spec_documents.BRIEF,
        "provider": "claude",
        "verify": VERIFY,
        "labels": {project.LABEL: LABEL},
        "env_set": {"OVERMIND_CLAUDE_BIN": os.path.join(root, AGENT)},
    }


def is_inside(path: str, root: str) -> bool:
    """Whether a folder is that of the demonstration, or below it."""
    return path == root or path.startswith(f"{root}/")
