"""Landing beside a person's uncommitted files, with real git: it meets them and changes nothing, or they stay.

What git itself would land of what is refused here is a table of its own.
"""

from __future__ import annotations

import os
import shutil
import stat

import pytest

from overmind_core.git import merge as git_merge
from overmind_core.git.merge import TargetInUse
from overmind_core.git.run import Git
from tests.kit.repositories import Repository

FIRST = {"a": "1\n", "b": "1\n", "d/x": "1\n", "d/y": "1\n", ".gitignore": "*.log\ncache/\n"}
OTHER = "changes b"
LANDINGS = {
    OTHER: lambda shop: shop.write({"b": "landed\n"}),
    "changes a": lambda shop: shop.write({"a": "landed\n"}),
    "deletes a": lambda shop: os.unlink(shop.path("a")),
    "a becomes a folder": lambda shop: (os.unlink(shop.path("a")), shop.write({"a/in": "landed\n"})),
    "renames a": lambda shop: shop.git("mv", "a", "z"),
    "adds new": lambda shop: shop.write({"new": "landed\n"}),
    "adds below new": lambda shop: shop.write({"new/deep/n": "landed\n"}),
    "adds what is ignored": lambda shop: (shop.write({"x.log": "landed\n"}), shop.git("add", "-f", "x.log")),
    "adds in an ignored folder": lambda shop: (shop.write({"cache/n": "landed\n"}), shop.git("add", "-f", "cache/n")),
    "d becomes a file": lambda shop: (shutil.rmtree(shop.path("d")), shop.write({"d": "landed\n"})),
}
OF_A = {
    "unstaged": lambda shop: shop.write({"a": "mine\n"}),
    "staged": lambda shop: (shop.write({"a": "mine\n"}), shop.git("add", "a")),
    "staged and changed again": lambda shop: (
        shop.write({"a": "mine\n"}),
        shop.git("add", "a"),
        shop.write({"a": "mine, again\n"}),
    ),
    "deleted": lambda shop: os.unlink(shop.path("a")),
    "deleted and staged": lambda shop: shop.git("rm", "-q", "a"),
    "renamed": lambda shop: shop.git("mv", "a", "mine"),
    "made executable": lambda shop: os.chmod(shop.path("a"), 0o755),
    "made a link": lambda shop: (os.unlink(shop.path("a")), os.symlink("b", shop.path("a"))),
    "made a folder": lambda shop: (os.unlink(shop.path("a")), shop.write({"a/mine": "mine\n"})),
    "overlooked": lambda shop: (shop.git("update-index", "--assume-unchanged", "a"), shop.write({"a": "mine\n"})),
    "skipped": lambda shop: (shop.git("update-index", "--skip-worktree", "a"), shop.write({"a": "mine\n"})),
}
OF_NEW = {
    "untracked": lambda shop: shop.write({"new": "mine\n", "other": "mine\n"}),
    "untracked folder": lambda shop: shop.write({"new/deep/mine": "mine\n"}),
    "untracked for a folder": lambda shop: shop.write({"new/deep": "mine\n"}),
    "new and staged": lambda shop: (shop.write({"new": "mine\n"}), shop.git("add", "new")),
    "new and intended": lambda shop: (shop.write({"new": "mine\n"}), shop.git("add", "-N", "new")),
    "a link to a folder": lambda shop: (shop.write({"there/n": "mine\n"}), os.symlink("there", shop.path("new"))),
    "another repository": lambda shop: Repository(shop.path("new")).commit("mine", {"m": "mine\n"}),
}
IGNORED = {
    "ignored": lambda shop: shop.write({"x.log": "mine\n", "y.log": "mine\n"}),
    "ignored beside": lambda shop: shop.write({"cache/mine": "mine\n"}),
    "ignored folder": lambda shop: shop.write({"cache/n": "mine\n"}),
}
OF_D = {
    "untracked in it": lambda shop: shop.write({"d/mine": "mine\n"}),
    "ignored in it": lambda shop: shop.write({"d/mine.log": "mine\n"}),
    "changed in it": lambda shop: shop.write({"d/x": "mine\n"}),
    "made a file": lambda shop: (shutil.rmtree(shop.path("d")), shop.write({"d": "mine\n"})),
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
        change(shop)
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
        edit(shop)
        before, index, base, after = shown(shop), staged(shop), head(shop), shop.git("rev-parse", _branch(landing))
        git = Git(shop.environ)
        try:
            git_merge.land(git, shop.folder, git_merge.target_of(git, shop.folder, "main"), after, "test")
        except TargetInUse as error:
            assert (shown(shop), staged(shop), head(shop)) == (before, index, base), landing
            refusals.append(any(error.found))
            assert landing != OTHER
            words = ("merge", "--ff-only", "--no-overwrite-ignore", "-q", after)
            if git.run(shop.folder, *words, expected=range(256)).code == 0:
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
    git = Git(shop.environ)
    target = git_merge.target_of(git, shop.folder, "main")
    with pytest.raises(TargetInUse) as refused:
        git_merge.land(git, shop.folder, target, shop.git("rev-parse", "gone"), "test")
    assert refused.value.found.loose == ("lib",)
    git_merge.land(git, shop.folder, target, shop.git("rev-parse", "newer"), "test")
    assert (shop.read("lib/l"), shop.read("lib/mine")) == ("mine\n", "mine\n")
    assert shop.git("rev-parse", "HEAD:lib") == newer
