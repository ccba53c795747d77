"""The person in whose name this test process runs: with an own home, which knows who commits and nothing else.

So no test depends on what the account of this machine has: settings of git, keys, agents, a home of Overmind's.
What is dear to fetch, such as browsers, stays in the account's own cache.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

SETTINGS = "[user]\n\tname = Tess\n\temail = tess@example.com\n"
"""Git's, of the person."""


def replace() -> None:
    """Be that person from now on, and whatever is started from here."""
    os.environ.setdefault("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    folder = tempfile.mkdtemp(prefix="om-person-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with open(os.path.join(folder, ".gitconfig"), "w", encoding="utf-8") as file:
        file.write(SETTINGS)
    os.environ["HOME"] = folder
    os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        os.environ.pop(name, None)
