"""The files that git ignores and that keep a worktree."""

from __future__ import annotations

from overmind_core.domain.isolation.keep import ALL, KeepRules
from tests.kit.cases import tabled

CASES = [
    (ALL, "a", True),
    (ALL, "deep/er/a", True),
    ((), "a", False),
    (("dist",), "dist", True),
    (("dist",), "packages/ui/dist/a.js", True),
    (("dist",), "a", False),
    (("*.sqlite3", ".env"), "data/x.sqlite3", True),
    (("*.sqlite3", ".env"), "x.sqlite3-journal", False),
    (("*", "!node_modules"), "packages/ui/node_modules/a/b.js", False),
    (("*", "!node_modules"), "packages/ui/a", True),
    (("*", "!dist", "dist/report"), "dist/report/a", True),
    (("*", "!dist", "dist/report"), "dist/reports", False),
    (("*", "!dist", "dist/report"), "sub/dist/report/a", False),
    (("**/report",), "report", True),
    (("**/report",), "a/b/report/c", True),
    (("a/**/c",), "a/c", True),
    (("a/**/c",), "a/b/b/c/d", True),
    (("a/**/c",), "a/b", False),
    (("a/**",), "a/b", True),
    (("a/**",), "b/a/b", False),
]


@tabled(("patterns", "path", "kept"), CASES)
def test_the_last_pattern_that_means_a_file_decides(patterns, path, kept):
    assert KeepRules(0, patterns).keep(path) is kept
