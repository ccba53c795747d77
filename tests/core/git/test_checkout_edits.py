"""Landing beside a person's uncommitted files, with real git: it meets them and changes nothing, or they stay.

What git itself would land of what is refused here is a table of its own.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess

import pytest

from overmind_core.git import merge as git_merge
from overmind_core.git.merge import TargetInUse
from overmind_core.git.run import Git
from tests.kit.repositories import Repository

FIRST = {"a": "1\n", "b": "1\n", "d/x": "1\n", "d/y": "1\n", ".gitignore": "*.log\ncache/\n"}
OTHER = "changes b"
LANDINGS = {
    OTHER: "echo landed > b",
    "changes a": "echo landed > a",
    "deletes a": "rm a",
    "a becomes a folder": "rm a; mkdir a; echo landed > a/in",
    "renames a": "git mv a z",
    "adds new": "echo landed > new",
    "adds below new": "mkdir -p new/deep; echo landed > new/deep/n",
    "adds what is ignored": "echo landed > x.log; git add -f x.log",
    "adds in an ignored folder": "mkdir cache; echo landed > cache/n; git add -f cache/n",
    "d becomes a file": "rm -r d; echo landed > d",
}
"""Lines of shell, as are the edits."""
OF_A = {
    "unstaged": "echo mine > a",
    "staged": "echo mine > a; git add a",
    "staged and changed again": "echo mine > a; git add a; echo again > a",
    "deleted": "rm a",
    "deleted and staged": "git rm -q a",
    "renamed": "git mv a mine",
    "made executable": "chmod +x a",
    "made a link": "ln -sf b a",
    "made a folder": "rm a; mkdir a; echo mine > a/mine",
    "overlooked": "git update-index --assume-unchanged a; echo mine > a",
    "skipped": "git update-index --skip-worktree a; echo mine > a",
}
OF_NEW = {
    "untracked": "echo mine > new; echo mine > other",
    "untracked folder": "mkdir -p new/deep; echo mine > new/deep/mine",
    "untracked for a folder": "mkdir new; echo mine > new/deep",
    "new and staged": "echo mine > new; git add new",
    "new and intended": "echo mine > new; git add -N new",
    "a link to a folder": "mkdir there; echo mine > there/n; ln -s there new",
    "another repository": "git init -q new; cd new; echo mine > m; git add m; git commit -qm mine",
}
IGNORED = {
    "ignored": "echo mine > x.log; echo mine > y.log",
    "ignored beside": "mkdir cache; echo mine > cache/mine",
    "ignored folder": "mkdir cache; echo mine > cache/n",
}
OF_D = {
    "untracked in it": "echo mine > d/mine",
    "ignored in it": "echo mine > d/mine.log",
    "changed in it": "echo mine > d/x",
    "made a file": "rm -r d; echo mine > d",
}
EDITS = [
    (name, edit, [OTHER, *landings])
    for edits, landings in (
        (OF_A, list(LANDINGS)[1:5]),
        (OF_NEW, list(LANDINGS)[5:7]),
        (IGNORED, list(LANDINGS)[7:9]),
        (OF_D, list(LANDINGS)[9:]),
    )
    for name, edit in edits.items()
]
STRICTER = {
    ("changes a", "deleted"),  # git brings the file back
    *((landing, name) for landing in ("deletes a", "a becomes a folder", "renames a")
      for name in ("deleted", "deleted and staged", "renamed")),  # both have removed it
}  # fmt: skip
"""Pairs that git would land."""


def _run(shop, line):
    subprocess.run(["/bin/sh", "-ec", line], cwd=shop.folder, env=shop.environ, check=True)


def _land(shop, after):
    git = Git(shop.environ)
    target = git_merge.target_of(git, shop.folder, "main")
    assert target is not None
    git_merge.land(git, shop.folder, target, after, "test")


def shown(shop):
    """Every file in the checkout, but git's own: how it is, and what is in it."""
    found = {}
    for folder, folders, files in os.walk(shop.folder):
        folders[:] = [name for name in folders if os.path.join(folder, name) != shop.path(".git")]
        for name in (*files, *(one for one in folders if os.path.islink(os.path.join(folder, one)))):
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                found[os.path.relpath(path, shop.folder)] = (mode, os.readlink(path))
            else:
                with open(path, "rb") as file:
                    found[os.path.relpath(path, shop.folder)] = (mode, file.read())
    return found


def staged(shop):
    return set(shop.git("diff", "--cached", "--raw", "--no-renames", "--no-abbrev").splitlines())


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A shop with a branch for each landing."""
    shop = Repository(str(tmp_path_factory.mktemp("origin") / "shop"))
    shop.commit("first", FIRST)
    for name, change in LANDINGS.items():
        shop.git("checkout", "-q", "-b", _branch(name), "main")
        _run(shop, change)
        shop.git("add", "-A")
        shop.git("commit", "-qm", name)
    shop.git("checkout", "-q", "main")
    shutil.rmtree(shop.path(".git", "hooks"))
    return shop


def head(shop):
    with open(shop.path(".git", "refs", "heads", "main"), encoding="utf-8") as file:
        return file.read().strip()


@pytest.mark.parametrize(("name", "edit", "landings"), EDITS, ids=[one[0] for one in EDITS])
def test_each_edit_stays_whatever_lands_and_what_does_not_meet_it_lands(origin, tmp_path, name, edit, landings):
    stricter, refusals = [], []
    for landing in landings:
        shop = Repository(shutil.copytree(origin.folder, tmp_path / landing / "shop", symlinks=True))
        _run(shop, edit)
        before, index, base, after = shown(shop), staged(shop), head(shop), shop.git("rev-parse", _branch(landing))
        try:
            _land(shop, after)
        except TargetInUse as error:
            assert (shown(shop), staged(shop), head(shop)) == (before, index, base), landing
            refusals.append(any(error.found))
            assert landing != OTHER
            words = ("merge", "--ff-only", "--no-overwrite-ignore", "-q", after)
            if Git(shop.environ).run(shop.folder, *words, expected=range(256)).code == 0:
                stricter.append(landing)
            continue
        assert head(shop) == after
        landed = set(shop.git("diff", "--name-only", "--no-renames", base, after).splitlines())
        now = shown(shop)
        assert {path: file for path, file in now.items() if path not in landed} == {
            path: file for path, file in before.items() if path not in landed
        }, landing
        assert all(now[path][1] == b"landed\n" for path in landed if path in now), landing
        assert index == staged(shop), landing
    assert all(refusals), "each names the files"
    assert set(stricter) == {landing for landing, one in STRICTER if one == name}


def _branch(landing):
    return landing.replace(" ", "-")


def test_the_folder_of_a_submodule_stays_and_only_what_takes_its_place_is_refused(tmp_path):
    lib = Repository(str(tmp_path / "lib"))
    lib.commit("first of lib", {"l": "1\n"})
    shop = Repository(str(tmp_path / "shop"))
    shop.commit("first", FIRST)
    shop.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib.folder, "lib")
    base = shop.commit("with lib", {})
    newer = lib.commit("second of lib", {"l": "2\n"})
    for name, words in {
        "newer": ("update-index", "--cacheinfo", f"160000,{newer},lib"),
        "gone": ("rm", "-q", "--cached", "lib"),
    }.items():
        shop.git("checkout", "-q", "-b", name, "main")
        shop.git(*words)
        if name == "gone":
            blob = shop.git("hash-object", "-w", "a")
            shop.git("update-index", "--add", "--cacheinfo", f"100644,{blob},lib/here")
        shop.git("commit", "-qm", name)
        shop.git("checkout", "-q", "-f", "main")
        shop.git("reset", "-q", "--hard", base)
    shop.write({"lib/l": "mine\n", "lib/mine": "mine\n"})
    shop.git("config", "submodule.recurse", "true")
    with pytest.raises(TargetInUse) as refused:
        _land(shop, shop.git("rev-parse", "gone"))
    assert refused.value.found.loose == ("lib",)
    _land(shop, shop.git("rev-parse", "newer"))
    assert (shop.read("lib/l"), shop.read("lib/mine")) == ("mine\n", "mine\n")
    assert shop.git("rev-parse", "HEAD:lib") == newer
