"""A program that starts another one hides nothing from a denial, whatever it puts into that one's words."""

from __future__ import annotations

import pytest

from overmind_core.domain.agents.permission import decide, rules_for
from overmind_core.domain.shell.carriers import CARRIERS, SUBCOMMANDS
from tests.kit.cases import tabled

CWD = "/home/me/project"
PUSH = ["Bash(git push:*)"]


def says(command, deny=PUSH):
    found = decide(["Bash"], deny, "Bash", {"command": command}, CWD)
    return None if found is None else found[0].value


ASKED = [
    "echo push | xargs -I{} git {} -q origin",
    "xargs -i git {}",
    "xargs -I % git %",
    "xargs -0I % git % x",
    "xargs -I{} {} push",
    "xargs --replace=X git X",
    'xargs -I "$p" git status',
    "sudo xargs git",
    "timeout 5 xargs git",
    "busybox xargs -I{} git {}",
    "xargs -I{} sh -c 'git {}'",
    "xargs -I{} sh -c '{}'",
    'xargs sh -c \'git "$@"\' _',
    "parallel git {} ::: push",
    "parallel git ::: push",
    "parallel 'git -C x' ::: push",
    "parallel -j4 git {1} ::: push",
    "parallel -I% git % ::: push",
    "sem git {} ::: push",
    "find . -name push -exec git {} \\;",
    "find . -name push -execdir git {} +",
    "find . -exec {} push \\;",
    "find . -exec sh -c 'git {}' \\;",
    "find . -exec env git {} \\;",
    "fd -x git",
    "fd . -x git {/}",
    "fd . --exec git {}",
    "nice -n 5 $x push",
    "timeout 5 $x push",
    "sudo -u bob $x push",
    "sudo nice $x push",
    "ssh-agent $x push",
    'su -c "git $x" me',
    'su -c "$x" me',
    "ls | entr git /_",
    "fzf --preview 'git {}'",
    'git rebase -x "$x" main',
    "git -c alias.p=$x p",
    "npm exec $x push",
    'script -qc "git $x" f',
    'env -S "git $x"',
    'nix-shell --run "$x"',
]  # fmt: skip


@tabled("command", ASKED)
def test_a_word_that_is_put_in_by_another_program_is_asked_for(command):
    assert says(command) is None
    assert says(command, []) == "allow", "without such a rule nobody has to be asked"


DENIED = [
    "ssh-agent git push",
    "dbus-run-session git push",
    "dbus-run-session -- git push",
    "xvfb-run -a git push",
    "setpriv --reuid 1 git push",
    "unshare -r git push",
    "nsenter -t 1 -m git push",
    "flock /f git push",
    "flock /f -c 'git push'",
    "script -c 'git push' f",
    "script -qc 'git push'",
    "watch -n 1 'git push'",
    "watch git -C x push",
    "ls | entr -s 'git push'",
    "systemd-run --user git push",
    "runuser -u me -- git push",
    "chrt -f 10 git push",
    "taskset -c 0 git push",
    "ltrace git push",
    "perf stat git push",
    "gdb --args git push",
    "env -S 'git push'",
    "env -S'git push'",
    "env --split-string='git push'",
    "env -S 'git -C x' push",
    "npx git push",
    "npm exec -- git push",
    "uv run git push",
    "poetry run git push",
    "bundle exec git push",
    "nix-shell --run 'git push'",
    "nix-shell --run='git push'",
    "direnv exec . git push",
    "mise exec -- git push",
    "git -c alias.x='!git push' x",
    "git -c alias.p=push p",
    "git config alias.p push && git p",
    "git -c Alias.p=push p",
    "git bisect run git push",
    "git submodule foreach git push",
    "git submodule foreach 'git push'",
    "git submodule foreach --recursive 'git -C x' push",
    "git rebase --exec 'git push' main",
    "git rebase --exec='git push' main",
    "git rebase -x'git push' main",
    "sudo git -c alias.p=push p",
    "docker run alpine/git push",
    "docker exec c git push",
    "fd -x git push",
    "parallel ::: 'git push'",
    "eval 'git -C x' push",
    "ssh h 'git -C x' push",
    "xargs -I{} git -C {} push",
    "find . -exec git -C {} push \\;",
    "tmux new -d 'git push'",
    "sudo xargs git push",
    "busybox sh -c 'git push'",
]  # fmt: skip


@tabled("command", DENIED)
def test_a_denied_program_is_found_behind_the_one_that_starts_it(command):
    assert says(command) == "deny"


LEFT_ALONE = [
    'bash run.sh "$a b"',
    "git status",
    "find . -name push -exec cat {} \\;",
    "ls | xargs -I{} cp {} x",
    "ls | xargs -n 1 -P $(nproc) cat",
    "ls | xargs -P$(getconf _NPROCESSORS_ONLN) cat",
    "parallel -j4 cat {} ::: a b",
    "git -c user.name='git pusher' commit",
    "git rebase $base",
    "git rebase -i main",
    "git submodule update --init",
    "git log $x -- run",
    "npm run build",
    "uv run pytest -k push",
    "docker run -v $PWD:/x img make",
    "poetry run pytest $x",
    "fd -x cat",
    "xargs grep -i foo",
    "git config user.name x",
    "timeout $T make",
    "sudo apt-get install git",
    "env git stash push",
    "direnv exec . make $x",
    "find . -name '*.py' -newer $x -exec grep foo {} +",
    "ssh host ls $x",
    "git config --get alias.p",
    "perf stat make",
    "strace -f -o $out make",
]  # fmt: skip


@tabled("command", LEFT_ALONE)
def test_a_program_that_starts_what_is_not_denied_is_left_alone(command):
    assert says(command) == "allow"


@tabled("carrier", sorted(CARRIERS))
def test_each_carrier_is_looked_through(carrier):
    before = "x " * (CARRIERS[carrier].before or 0)
    assert says(f"{carrier} {before}git push") == "deny"
    assert says(f"/usr/bin/{carrier} {before}git -C . push") == "deny"
    assert says(f"sudo {carrier} {before}'git push'") == "deny"
    if CARRIERS[carrier].before is not None:
        assert says(f"{carrier} -v {before}$tool push") is None
    for option in CARRIERS[carrier].texts:
        assert says(f'{carrier} {option} "git $x"') is None


@tabled(("program", "subcommand"), [(one, sub) for one, subs in SUBCOMMANDS.items() for sub in subs])
def test_each_subcommand_that_starts_a_program_is_looked_through(program, subcommand):
    before = "x " * (SUBCOMMANDS[program][subcommand].before or 0)
    assert says(f"{program} {subcommand} {before}make push", ["Bash(make push:*)"]) == "deny"
    assert says(f"{program} --x {subcommand} -y {before}'make push'", ["Bash(make push:*)"]) == "deny"


def test_an_exact_rule_ends_where_the_command_of_a_search_ends():
    assert says("find . -exec git push \\; -print", ["Bash(git push)"]) == "deny"
    assert says("parallel git push ::: a", ["Bash(git push)"]) is None


@pytest.mark.parametrize("command", ["sudo {} git push", "sudo env {} git push", "sh {} -c 'git push'", "xargs {} git"])
def test_no_number_of_words_hides_a_program(command):
    assert says(command.format("-n " * 99)) == ("deny" if "push" in command else None)
    assert says("time pytest " + "x " * 99) == "allow"


def test_always_stores_no_rule_of_a_subcommand_that_runs_anything():
    text = " \"$(cat <<'E'\ntext\nE\n)\""
    assert not any(one.endswith(":*)") for one in rules_for("Bash", {"command": f"uv run make{text}"}))


HOSTILE = [
    "sudo " * 50_000, "xargs " * 5_000, "parallel " * 3_000 + "'a b'", "find " + "-exec find " * 3_000,
    "sudo " + "bash " * 60 + "'sudo " + "bash " * 60 + '"a b"\'', "sudo xargs " * 40 + "git {}", "fd -x " * 300,
]  # fmt: skip


@pytest.mark.parametrize("command", HOSTILE, ids=lambda text: text[:12])
def test_carriers_within_carriers_are_decided(command):
    says(command)
