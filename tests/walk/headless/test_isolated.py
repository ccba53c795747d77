"""A project with an `.overmind.yml` in CI: trust is said on the command line, and work that is left is named."""

from __future__ import annotations

import os

from tests.kit.repositories import Repository

FILE = 'services: { web: { command: sleep 1000, port: 3000 } }\nisolation: { setup: ["echo set up"] }\n'


def test_trust_is_for_the_run_alone_and_only_work_is_left(headless):
    shop = Repository(os.path.join(headless.environment["HOME"], "shop"))
    shop.commit("first", {".overmind.yml": FILE})

    refused = headless("run", "true", cwd=shop.folder)
    assert (refused.returncode, refused.stderr[:26]) == (1, "Error: untrusted_project: ")
    assert "Trust it: --trust. Run without it: --no-isolate" in refused.stderr
    clean = headless("run", "--trust", "echo at $WEB_PORT; exit 3", cwd=shop.folder)
    assert clean.returncode == 3
    assert "\nset up\n" in clean.stdout
    assert "work is left" not in clean.stderr
    working = headless("run", "--trust", "--name", "made", "echo 1 > made", cwd=shop.folder)
    (left,) = set(os.listdir(shop.path(".overmind", "worktrees"))) & set(working.stderr.replace("/", " ").split())
    worktree = shop.path(".overmind", "worktrees", left)
    assert f"overmind: work is left in {worktree} (branch overmind/made)\n" in working.stderr
    assert shop.git("branch", "--format", "%(refname:short)").split() == ["main", "overmind/made"]
