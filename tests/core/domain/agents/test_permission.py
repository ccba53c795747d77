"""What a rule of a person allows and denies: one program, file or host, in compound commands and redirections too."""

from __future__ import annotations

import os
import posixpath
import stat
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.agents.permission import InvalidRule, decide, parse, rules_for
from overmind_core.domain.shell import carriers, commands
from tests.kit import torture
from tests.kit.cases import tabled

CWD = "/home/me/project"
HOME = "/home/me"


def says(allow, deny, tool, subject):
    found = decide(allow, deny, tool, subject, CWD, home=HOME)
    return None if found is None else found[0].value


def bash(command):
    return {"command": command}


ALLOWED = [
    ("Bash", "anything && at all > /etc/passwd"),
    ("Bash(*)", "anything; at all"),
    ("Bash(git status)", "git status"),
    ("Bash(git status)", "  git status\n"),
    ("Bash(git status && git diff)", "git status && git diff"),
    ("Bash(npm run:*)", "npm run"),
    ("Bash(npm run:*)", "npm run build -- --watch"),
    ("Bash(npm run *)", "npm run build"),
    ("Bash(npm run*)", "npm running"),
    ("Bash(git * main)", "git push origin main"),
    ("Bash(git*push*push)", "git push push"),
    ("Bash(git*push*push*)", "git pushpush now"),
    ("Bash(cp */a */a b)", "cp x/a y/a b"),
    ("Bash(echo:*)", "echo 'a; b && c | d > e $(f) `g`'"),
    ("Bash(echo:*)", 'echo "a; b > c"'),
    ("Bash(echo:*)", r"echo a\;b \> c"),
    ("Bash(echo:*)", "echo $HOME ${USER}"),
    ("Bash(make:*)", "make 2>&1"),
    ("Bash(make:*)", "make >&2 2>&- <&- <&0"),
    ("Bash(make:*)", "make > /dev/null 2>/dev/null"),
    ("Bash(make:*)", "make &"),
    ("Bash(make:*)", "make; make test\nmake all"),
    ("Bash(echo:*)", "echo $(echo a) `echo b`"),
    (r"Bash(echo \*)", "echo *"),
    (r"Bash(\(cd x; ls\))", "(cd x; ls)"),
]


@tabled(("rule", "command"), ALLOWED)
def test_a_rule_allows_the_command_that_it_names(rule, command):
    assert says([rule], [], "Bash", bash(command)) == "allow"


ASKED = [
    ("Bash(git status)", "git status --short"),
    ("Bash(git status)", "git status; rm -rf /"),
    ("Bash(npm run:*)", "npm runner"),
    ("Bash(npm run *)", "npm runner"),
    ("Bash(git * main)", "git push origin develop"),
    ("Bash(git * main)", "git push; rm main"),
    ("Bash(git push*push)", "git push"),
    ("Bash(git*push*push)", "git push"),
    ("Bash(git*push*push*)", "git push now"),
    ("Bash(git*push*pushed)", "git pushed"),
    ("Bash(cp */a */a b)", "cp x/a b"),
    ("Bash(cp */a*/a b)", "cp x/a b"),
    ("Bash(echo:*)", "echo a; rm b"),
    ("Bash(echo:*)", "echo a && rm b"),
    ("Bash(echo:*)", "echo a || rm b"),
    ("Bash(echo:*)", "echo a | rm b"),
    ("Bash(echo:*)", "echo a |& rm b"),
    ("Bash(echo:*)", "echo a & rm b"),
    ("Bash(echo:*)", "echo a\nrm b"),
    ("Bash(echo:*)", "echo $(rm b)"),
    ("Bash(echo:*)", 'echo "$(rm b)"'),
    ("Bash(echo:*)", "echo `rm b`"),
    ("Bash(echo:*)", 'echo "`rm b`"'),
    ("Bash(echo:*)", "echo a > b"),
    ("Bash(echo:*)", "echo a >> b"),
    ("Bash(echo:*)", "echo a >| b"),
    ("Bash(echo:*)", "echo a &> b"),
    ("Bash(echo:*)", "echo a 2> b"),
    ("Bash(echo:*)", "echo a > 1"),
    ("Bash(echo:*)", "echo a >> 1"),
    ("Bash(echo:*)", "echo a &> 1"),
    ("Bash(echo:*)", "echo a > -"),
    ("Bash(echo:*)", "echo a > '2'"),
    ("Bash(echo:*)", "echo a >& b"),
    ("Bash(echo:*)", "echo a >&\u0663"),
    ("Bash(echo:*)", "echo a >&\u00b2"),
    ("Bash(echo:*)", "echo < 7"),
    ("Bash(echo:*)", "echo < -"),
    ("Bash(echo:*)", "echo <& b"),
    ("Bash(echo)", "echo \u0663> /dev/null"),
    ("Bash(echo:*)", "echo < b"),
    ("Bash(echo:*)", "echo > $FILE"),
    ("Bash(echo:*)", "echo <(rm b)"),
    ("Bash(echo:*)", "echo >(rm b)"),
    ("Bash(echo:*)", "echo << E\n$(rm b)\nE"),
    ("Bash(echo:*)", "echo ${x:-$(rm b)}"),
    ("Bash(echo:*)", "echo $((1 + $(rm b)))"),
    ("Bash(echo:*)", "echo $'\\'; rm b #'"),
    ("Bash(echo:*)", "echo 'not closed"),
    ("Bash(echo:*)", "echo \\\n; rm b"),
    ("Bash(echo:*)", "echo a\n\\\nrm b"),
    ("Bash(echo:*)", "echo a>&-b$(rm c)"),
    ("Bash(echo:*)", "PATH=/tmp echo a"),
    ("Bash(echo:*)", "(echo a; rm b)"),
    ("Bash(echo:*)", "echo a # '\nrm b #'"),
    ("Bash(echo:*)", ""),
    ("Bash(ls:*)", "\u00a0ls"),
    ("Edit", "echo a"),
]


@tabled(("rule", "command"), ASKED)
def test_a_rule_about_one_program_says_nothing_about_the_next(rule, command):
    assert says([rule], [], "Bash", bash(command)) is None


def test_a_compound_command_needs_a_rule_for_each_part():
    allow = ["Bash(git:*)", "Bash(npm test)"]
    assert decide(allow, [], "Bash", bash("git pull && npm test"), CWD) == (Behaviour.ALLOW, ", ".join(allow))


REDIRECTED = [
    ("echo a > src/b.txt", "allow"),
    ("echo a > src/../../b.txt", None),
    ("cd .. && echo a > src/b.txt", None),
    (f"cd .. && echo a > {CWD}/src/b.txt", "allow"),
    ("echo a > 'src/b c'", "allow"),
    ("echo a >src/b'$x", None),
    ("echo a > 1", None),
    ("cd src && echo a > 1", None),
    ("echo a > src/1", "allow"),
    ("c''d .. && echo a > src/b.txt", None),
    (r"c\d .. && echo a > src/b.txt", None),
]


@tabled(("command", "expected"), REDIRECTED)
def test_a_redirection_is_an_edit_of_its_file(command, expected):
    assert says(["Bash(echo:*)", "Bash(cd:*)", "Edit(src/**)"], [], "Bash", bash(command)) == expected


def test_a_command_that_runs_elsewhere_opens_its_files_there():
    for folder, expected in (("/other", None), (f"{CWD}/src", "allow")):
        subject = bash("echo a > b") | {"cwd": folder}
        assert says(["Bash(echo:*)", "Edit(src/**)"], [], "Bash", subject) == expected
    assert says(["Bash"], ["Edit(.env)"], "Bash", bash("echo a > .env") | {"cwd": f"{CWD}/src"}) == "deny"


CARRIERS = (
    "sudo doas env command builtin exec nohup nice ionice time timeout stdbuf setsid xargs parallel find busybox watch "
    "chroot flock script unshare strace ssh"
)


@tabled("carrier", CARRIERS.split())
def test_a_program_that_starts_another_hides_nothing_from_a_denial(carrier):
    assert says([f"Bash({carrier}:*)"], ["Bash(rm:*)"], "Bash", bash(f"{carrier} -x rm y")) == "deny"


DENIED = [
    "rm -rf x",
    "/bin/rm x",
    r"\rm x",
    '"rm" x',
    "ls; rm x",
    "ls && (cd y; rm x)",
    "echo $(rm x)",
    "echo `rm x`",
    "FOO=1 rm x",
    "sudo -u bob rm x",
    "timeout 5 rm x",
    "find . | xargs rm",
    "find . -name y -exec rm {} +",
    "bash -c 'cd y; rm x'",
    "sudo sh -c 'rm x'",
    "if true; then rm x; fi",
    "! rm x",
    "cat << E\nrm x\nE",
]


@tabled("command", DENIED)
def test_a_denying_rule_finds_its_program_wherever_it_stands(command):
    assert says(["Bash"], ["Bash(rm:*)"], "Bash", bash(command)) == "deny"


@tabled("carrier", sorted(carriers.CARRIERS))
def test_a_denying_rule_finds_its_program_behind_whatever_starts_it(carrier):
    assert says(["Bash"], ["Bash(rm:*)"], "Bash", bash(f"{carrier} -x rm y")) == "deny"


@tabled("shell", sorted(commands.SHELLS))
def test_a_denying_rule_finds_its_program_in_the_text_of_a_shell(shell):
    assert says(["Bash"], ["Bash(rm:*)"], "Bash", bash(f"{shell} -c 'cd y; rm x'")) == "deny"


@pytest.mark.parametrize("command", ["echo rm x", "git commit -m 'rm x'", "rmdir x", "ls rm"])
def test_a_denying_rule_leaves_other_programs_alone(command):
    assert says(["Bash"], ["Bash(rm:*)"], "Bash", bash(command)) == "allow"


def test_a_denied_file_is_not_written_by_redirection_either():
    assert says(["Bash"], ["Edit(.env)"], "Bash", bash("echo a > .env")) == "deny"


HIDDEN = [
    ("cd secrets && echo a > key", "deny"),
    ("cd ./x/../secrets && echo a > key", "deny"),
    ("cd src && echo a > .env", "deny"),
    ("cd src && echo a > b", "allow"),
    ("cd $x && echo a > b", None),
    ("cd src && cd .. && echo a > b", None),
    ("c''d src; popd; echo a > b", None),
    ("echo a > .env # x", None),
    ("(echo a > .env)", None),
    ("cat > .env <<EOF\na\nEOF", None),
    ('echo a > "$PWD/.env"', None),
    ("echo a > .e\\nv", None),
    ("(cat < .env)", None),
    ("(make) 2>/dev/null; (make &>/dev/null) 2>&1", "allow"),
    ("cat <<EOF\na\nEOF", "allow"),
    ("diff <(ls) <(ls x)", "allow"),
]


@tabled(("command", "expected"), HIDDEN)
def test_no_spelling_of_a_redirection_passes_a_denied_file(command, expected):
    assert says(["Bash"], ["Edit(secrets/**)", "Edit(.env)", "Read(.env)"], "Bash", bash(command)) == expected


def test_deny_wins_whatever_the_order():
    assert decide(["Bash(git:*)"], ["Bash(git push:*)"], "Bash", bash("git push"), CWD) == (
        Behaviour.DENY,
        "Bash(git push:*)",
    )


FILES = [
    ("Edit(src/**)", "Edit", "src/a/b.py", True),
    ("Edit(src/**)", "Write", f"{CWD}/src/a.py", True),
    ("Edit(src/**)", "Edit", "src/../secret", False),
    ("Edit(src/**)", "Edit", f"{CWD}/src", False),
    ("Edit(src/**)", "Read", "src/a", False),
    ("Edit(/src/**)", "Edit", "src/a", True),
    ("Edit(src)", "Edit", "other/src/a", True),
    ("Edit(src/*)", "Edit", "src/a/b", True),
    ("Edit(*.py)", "MultiEdit", "a/b/c.py", True),
    ("Edit(*.py)", "Edit", "../c.py", False),
    ("Edit(docs/*.md)", "Edit", "docs/a.md", True),
    ("Edit(docs/*.md)", "Edit", "docs/x/a.md", False),
    ("Edit(**/a.md)", "Edit", "docs/x/a.md", True),
    ("Read(//etc/**)", "Read", "/etc/passwd", True),
    ("Read(//etc/**)", "Grep", "/etc", False),
    ("Read(//etc)", "Grep", "/etc", True),
    ("Read(*.ipynb)", "NotebookRead", "a.ipynb", True),
    ("NotebookRead(a/**)", "NotebookRead", "a/b.ipynb", True),
    ("NotebookRead(a/**)", "Read", "a/b.ipynb", False),
    ("Read(/etc/**)", "Read", "/etc/passwd", False),
    ("Read(~/notes/**)", "Read", f"{HOME}/notes/x", True),
    ("Write(a)", "Edit", "a", False),
    ("Edit", "Write", "anything", True),
    (r"Edit(a\*b)", "Edit", "a*b", True),
    (r"Edit(a\*b)", "Edit", "axb", False),
]


@tabled(("rule", "tool", "path", "expected"), FILES)
def test_rules_about_files_read_as_a_gitignore(rule, tool, path, expected):
    key = {"Grep": "path", "NotebookRead": "notebook_path"}.get(tool, "file_path")
    assert says([rule], [], tool, {key: path}) == ("allow" if expected else None)


SEVERAL = [
    # allowing rules, denying ones, the files of one edit, what becomes of it
    (["Edit"], [], ["src/a", "/etc/b"], "allow"),
    (["Edit(src/**)"], [], ["src/a", "src/b"], "allow"),
    (["Edit(src/**)", "Edit(*.md)"], [], ["src/a", "docs/b.md"], "allow"),
    (["Edit(src/**)"], [], ["src/a", "docs/b.md"], None),
    (["Edit(src/**)"], [], ["src/a", "src/../b"], None),
    (["Tool"], [], ["src/a", "src/b"], None),
    (["Edit"], ["Edit(.env)"], ["src/a", ".env"], "deny"),
    (["Edit"], ["Edit(.env)"], [{"file_path": "src/a", "content": "x"}, {"file_path": "x/.env"}], "deny"),
    (["Edit"], ["Edit(.env)"], ["src/a", "src/b"], "allow"),
    (["Edit(src/**)"], ["Edit"], ["src/a", "src/b"], "deny"),
    (["Edit"], [], None, "allow"),
    (["Edit(**)"], [], None, None),
    (["Edit"], ["Edit(.env)"], None, None),
    (["Edit"], ["Edit(.env)"], ["src/a", {"content": "x"}], None),
    (["Edit"], ["Edit(.env)"], [".env", {"content": "x"}], "deny"),
    (["Edit(**)"], [], ["src/a", {"content": "x"}], None),
    (["Edit"], [], [3], "allow"),
]


@tabled(("allow", "deny", "files", "expected"), SEVERAL)
def test_a_use_of_several_files_is_allowed_for_each_and_denied_for_one(allow, deny, files, expected):
    for tool in ("Edit", "Read"):
        allowing, denying = ([rule.replace("Edit", tool) for rule in rules] for rules in (allow, deny))
        assert says(allowing, denying, tool, {"title": "t"} | ({} if files is None else {"files": files})) == expected


def test_where_nobody_can_tell_which_page_a_denied_host_is_asked_about():
    for subject in ({"prompt": "read example.com"}, {"url": "https://exam\nple.com"}):
        assert says(["WebFetch"], ["WebFetch(domain:example.com)"], "WebFetch", subject) is None
        assert says(["WebFetch"], ["WebFetch"], "WebFetch", subject) == "deny"


def test_a_pattern_of_the_home_folder_matches_nothing_where_the_home_is_unknown():
    assert decide(["Read(~/**)"], [], "Read", {"file_path": "/home/me/x"}, CWD) is None


HOSTS = [
    ("example.com", "https://example.com/a", True),
    ("example.com", "https://EXAMPLE.com:8080", True),
    ("example.com", "https://user:pass@example.com", True),
    ("example.com", "https://sub.example.com", False),
    ("*.example.com", "https://sub.example.com", True),
    ("*.example.com", "https://example.com", False),
    ("example.com", "https://example.com.evil.org", False),
    ("example.com", "https://example.com@evil.org", False),
    ("example.com", "https://evil.org\\@example.com", False),
    ("example.com", "https://evil.org#@example.com", False),
    ("example.com", "https://a@b@example.com", False),
    ("example.com", "https://exam\nple.com", False),
    ("example.com", "example.com", False),
]


@tabled(("domain", "url", "expected"), HOSTS)
def test_a_rule_about_a_host_means_that_host(domain, url, expected):
    assert says([f"WebFetch(domain:{domain})"], [], "WebFetch", {"url": url}) == ("allow" if expected else None)


NAMED = [
    ("mcp__github", "mcp__github__create_issue", {}, True),
    ("mcp__github__*", "mcp__github__create_issue", {}, True),
    ("mcp__github__create_issue", "mcp__github__create_issue", {}, True),
    ("mcp__github__create", "mcp__github__create_issue", {}, False),
    ("mcp__git", "mcp__github__create_issue", {}, False),
    ("Task(Explore)", "Agent", {"subagent_type": "Explore"}, True),
    ("Task(Explore)", "Task", {"subagent_type": "Plan"}, False),
    ("Skill(deploy:*)", "Skill", {"skill": "deploy"}, True),
    ("WebSearch", "WebSearch", {"query": "x"}, True),
    ("WebSearch", "WebFetch", {"url": "https://x.org"}, False),
]


@tabled(("rule", "tool", "subject", "expected"), NAMED)
def test_other_tools_are_named(rule, tool, subject, expected):
    assert says([rule], [], tool, subject) == ("allow" if expected else None)


@pytest.mark.parametrize("tool", ["AskUserQuestion", "ExitPlanMode"])
def test_no_rule_answers_for_the_person(tool):
    assert says([tool], [], tool, {}) is None
    assert rules_for(tool, {}) == ()


INVALID = [
    ("", "is not a rule"),
    ("Bash(", "is not a rule"),
    ("Bash()x", "is not a rule"),
    ("rm -rf", "is not a rule"),
    ("Bash()", "the parentheses are empty"),
    ("Bash(a:*b)", "only allowed at the end"),
    ("WebFetch(example.com)", "domain:"),
    ("WebSearch(x)", "no parentheses"),
    ("mcp__a__b(x)", "no parentheses"),
    ("mcp__*__b", "can't contain *"),
]


@tabled(("rule", "why"), INVALID)
def test_a_rule_that_means_nothing_is_refused_with_the_reason(rule, why):
    with pytest.raises(InvalidRule) as caught:
        parse(rule)
    assert why in str(caught.value)
    assert repr(rule) in str(caught.value)


STORED = [
    ("Bash", {"command": "npm test"}, "Bash(npm test)"),
    ("Bash", {"command": "ls *.py (x)"}, r"Bash(ls \*.py \(x\))"),
    ("Edit", {"file_path": "/a/b.py"}, "Edit(//a/b.py)"),
    ("Write", {"file_path": "/a/[b]*.py"}, r"Edit(//a/\[b]\*.py)"),
    ("Read", {"file_path": "/a/b.py"}, "Read(//a/b.py)"),
    ("WebFetch", {"url": "https://example.com/x"}, "WebFetch(domain:example.com)"),
    ("mcp__a__b", {"x": 1}, "mcp__a__b"),
    ("Task", {"subagent_type": "Explore"}, "Task(Explore)"),
    ("WebSearch", {"query": "x"}, "WebSearch"),
    ("Bash", {}, None),
    ("Edit", {"title": "2 files"}, None),
    ("Read", {"title": "2 files"}, None),
    ("Edit", {"files": ["/a", {"content": "x"}]}, None),
    ("WebFetch", {"prompt": "read it"}, None),
    ("Tool", {"title": "look"}, None),
]


@tabled(("tool", "subject", "rule"), STORED)
def test_always_stores_a_rule_for_this_very_thing(tool, subject, rule):
    assert rules_for(tool, subject) == (() if rule is None else (rule,))
    assert rule is None or says([rule], [], tool, subject) == "allow"


def test_always_stores_a_rule_for_each_file_of_several():
    subject = {"files": ["/a", {"file_path": "/b.py", "content": "x"}]}
    rules = rules_for("Edit", subject)
    assert rules == ("Edit(//a)", "Edit(//b.py)")
    assert says(rules, [], "Edit", subject) == "allow"
    assert says(rules, [], "Edit", {"files": ["/a", "/c"]}) is None


@given(st.text(min_size=1))
@example("\x85")  # a blank of Unicode's, and a word to the shell
def test_a_stored_rule_allows_its_command_again_and_no_longer_one(command):
    rules = rules_for("Bash", bash(command))
    if not rules:
        return
    assert says(rules, [], "Bash", bash(command)) == "allow"
    assert says(rules, [], "Bash", bash(f"{command}x")) is None


@given(st.text(alphabet="abc/*?[]\\. ~()", min_size=1))
@example("/..")
@example("/../c")
def test_a_stored_rule_allows_its_file_again_and_no_other(path):
    this, other = f"/x{path}", f"/y{path}"
    (rule,) = rules_for("Edit", {"file_path": this})
    assert says([rule], [], "Edit", {"file_path": this}) == "allow"
    is_same = posixpath.normpath(this) == posixpath.normpath(other)
    assert says([rule], [], "Edit", {"file_path": other}) == ("allow" if is_same else None)


@given(st.lists(st.text()), st.text(), st.text())
def test_whatever_the_rules_hold_they_decide_or_are_refused(rules, tool, command):
    subject = {"command": command, "file_path": command, "url": command}
    try:
        assert says(rules, [], tool, subject) in {None, "allow"}
        assert says(rules, rules, tool, subject) in {None, "deny"}
    except InvalidRule:
        return


PIECES = [
    *("safe", "evil", " ", " ", ";", "&&", "||", "|", "&", "\n", "$(", ")", "(", "`", "'", '"', "\\", ">", "<", ">>"),
    *("#", "{", "}", "$", "$'", "${", "x", "1", "2>", "=", "!", "<<", "E", "~", "*", "-c", "&>", ">&", "[", "]", "\t"),
]


@settings(
    max_examples=torture.examples(400),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_a_shell_runs_nothing_else_in_a_command_that_was_allowed(tmp_path_factory, pieces):
    """The oracle is bash itself: only `safe` is allowed, so `evil` never runs and no file is made."""
    command = "safe " + "".join(pieces)
    if says(["Bash(safe:*)"], [], "Bash", bash(command)) != "allow":
        return
    folder = programs(tmp_path_factory)
    work = tmp_path_factory.mktemp("work")
    subprocess.run(
        ["/bin/bash", "-c", command], cwd=work, env={"PATH": folder}, stdin=subprocess.DEVNULL, capture_output=True
    )
    assert os.listdir(work) == []
    assert not os.path.exists(f"{folder}/ran"), command


def programs(tmp_path_factory):
    folder = str(tmp_path_factory.getbasetemp() / "programs")
    os.makedirs(folder, exist_ok=True)
    for name, text in (("safe", ":"), ("evil", f": > {folder}/ran")):
        path = f"{folder}/{name}"
        if not os.path.exists(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\n{text}\n")
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    return folder
