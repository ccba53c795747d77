"""Rules about the shell compare words: spelling passes no denial, and what only the shell knows is asked for."""

from __future__ import annotations

import pytest

from overmind_core.domain.agents.permission import decide, rules_for
from tests.kit.cases import tabled

CWD = "/home/me/project"
LONG = "m" * 4000


def says(allow, deny, command):
    found = decide(allow, deny, "Bash", {"command": command}, CWD)
    return None if found is None else found[0].value


DENIED = [
    ("git push:*", "git push origin HEAD:main"),
    ("git push:*", "git -C . push origin HEAD:main"),
    ("git push:*", 'git -C "$PWD" push'),
    ("git push:*", "git -c a=b push"),
    ("git push:*", "git --no-pager push"),
    ("git push:*", "git --git-dir x --work-tree=y -p push"),
    ("git push:*", "git \\\n push origin HEAD:two"),
    ("git push:*", "git push\\\n origin main"),
    ("git push:*", "git pu\\\nsh origin main"),
    ("git push:*", 'git "pu\\\nsh" origin main'),
    ("git push:*", "git   push"),
    ("git push:*", 'git "pu""sh"'),
    ("git push:*", "git p'us'h"),
    ("git push:*", r"git \push"),
    ("git push:*", "/usr/bin/git -C . push"),
    ("git push:*", "sudo git -C . push"),
    ("git push:*", "env -i A=b git -C . push"),
    ("git push:*", "sh -c 'git -C . push'"),
    ("git push:*", "cd x && git -C y push | cat"),
    ("git push:*", "(git -C y push)"),
    ("git push:*", "for i in 1; do git -C y push; done"),
    ("git push", "git -C . push"),
    ("git * main", "git -C . push origin main"),
    ("git push*", "git -C . push-all"),
    ("rm -rf:*", "rm \\\n -rf x"),
    ("rm -rf:*", "rm -v -rf x"),
    ("curl:*", "cu\\\nrl x"),
    ("curl:*", "c'u'rl x"),
    ("docker run:*", "docker -H tcp://x run y"),
    ("docker compose up:*", "docker --context x compose -f y up"),
    ("kubectl delete:*", "kubectl -n prod delete pod x"),
    ("npm publish:*", "npm --prefix x publish"),
    ("terraform apply:*", "terraform -chdir=x apply"),
    ("gh pr merge:*", "gh -R a/b pr --x merge 7"),
    ("helm uninstall:*", "helm --kube-context prod uninstall x"),
    ("ssh prod:*", "ssh -p 22 prod ls"),
    ("cargo publish:*", "cargo --config a=b publish"),
    ("make deploy:*", "make -j deploy"),
    ("git push:*", "git --attr-source HEAD push"),
    ("cargo publish:*", "cargo +nightly publish"),
    ("git push:*", "function f { git push; }; f"),
    ("git push:*", "eval 'git -C . push'"),
    ("git push:*", "trap 'git -C . push' EXIT"),
    ("git push:*", "su -c 'git -C . push' me"),
    ("git push:*", "(git -C 'my repo' push)"),
    ("git push:*", 'git -C "my repo" push # it\'s time'),
    ("git push:*", "bash <<A\nbash <<B\ngit 'push'\nB\nA"),
    ("git push:*", "(git >log 2>&1 'push')"),
]


AROUND = [
    "{}; (true)", "{} # it's done", "{}; echo $((1))", "{}; echo ${{x:-y}}", "{}; cat <(ls)", "{}; echo $'x'",
    "{}; cat <<E\nit's\nE", "{}\ncase x in x) ls;; esac", "f() {{ ls; }}; {}", "cat <<E\nit's\nE\n{}", "({}\n)",
]  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_nothing_around_a_command_hides_it(around):
    for about, command in DENIED:
        assert says(["Bash"], [f"Bash({about})"], around.format(command)) == "deny", command
    for about, command in ASKED:
        assert says(["Bash"], [f"Bash({about})"], around.format(command)) is None, command
    for about, command in LEFT_ALONE:
        if "<<" not in command:
            assert says(["Bash"], [f"Bash({about})"], around.format(command)) == "allow", command


@tabled(("about", "command"), DENIED)
def test_no_spelling_passes_a_denial(about, command):
    assert says(["Bash"], [f"Bash({about})"], command) == "deny"


ASKED = [
    ("git push:*", "git $'push'"),
    ("git push:*", "git pus?"),
    ("git push:*", "git {push,origin}"),
    ("git push:*", "x=push; git $x"),
    ("git push:*", "git $(echo push)"),
    ("git push:*", 'git "$x"'),
    ("git push:*", "git `echo push`"),
    ("git push:*", "git -C $dir status"),
    ("git push:*", "git $options status"),
    ("git push:*", '"$tool" push'),
    ("git push:*", 'sh -c "$script"'),
    ("git push:*", 'eval "$script"'),
    ("git push:*", "sudo $tool push"),
    ("git push:*", "(x=git; $x push)"),
    ("git push", "git push $nothing"),
    ("curl:*", "{curl,x}"),
    ("curl:*", "$(which curl) x"),
    ("curl:*", "/usr/bin/cur? x"),
    ("rm -rf:*", "rm $flags x"),
    ("git push:*", "$'git' push"),
    ("git push:*", "echo push | xargs git"),
]


@tabled(("about", "command"), ASKED)
def test_a_word_that_only_the_shell_knows_is_asked_for(about, command):
    assert says(["Bash"], [f"Bash({about})"], command) is None
    assert says(["Bash"], [], command) == "allow", "without such a rule nobody has to be asked"


LEFT_ALONE = [
    ("git push:*", "git status"),
    ("git push:*", 'git commit -m "$message"'),
    ("git push:*", "git commit -m 'then git push'"),
    ("git push:*", "git log $range -- push"),
    ("git push:*", "git stash push"),
    ("git push:*", "git -C push status"),
    ("git push", "git push --dry-run"),
    ("git push:*", "echo $x; ls *.py; make {a,b}"),
    ("git push:*", "for f in $(ls); do cat $f; done"),
    ("git push:*", "case $x in a) ls;; esac"),
    ("git push:*", "[ $x = y ] && [[ $z == *.py ]] && ls"),
    ("git push:*", "find . -name *.py -exec cat {} +"),
    ("git push:*", "timeout $T make"),
    ("git push:*", "python3 - <<'E'\nprint(f'{x} *2')\n$x\nE"),
    ("git push:*", "A=$x make"),
    ("rm -rf:*", "rm -r x"),
    ("curl:*", "curlie x"),
    ("make deploy:*", "make build deploy"),
]


@tabled(("about", "command"), LEFT_ALONE)
def test_what_a_denial_does_not_name_is_left_alone(about, command):
    assert says(["Bash"], [f"Bash({about})"], command) == "allow"


ALLOWED = [
    ("git status", "git   status"),
    ("git status", '"git" status'),
    ("git push:*", "git \\\n push origin"),
    ("npm run:*", 'npm "run" $x'),
    ("git commit -m 'a b'", 'git commit -m "a b"'),
]


@tabled(("about", "command"), ALLOWED)
def test_to_allow_quotes_and_line_ends_are_resolved(about, command):
    assert says([f"Bash({about})"], [], command) == "allow"


NOT_ALLOWED = [
    ("git push:*", "git -C . push"),
    ("git push:*", "/usr/bin/git push"),
    ("git status x", 'git "status x"'),
    ("git status", "git $x"),
    ("git push:*", "git $x push"),
    ("git push:*", r"git\ push"),
    ("git push:*", "GIT=x git push"),
]


@tabled(("about", "command"), NOT_ALLOWED)
def test_to_allow_no_word_is_passed_over(about, command):
    assert says([f"Bash({about})"], [], command) is None


MESSAGE = "git commit -m \"$(cat <<'EOT'\nmsg {}: it's; rm -rf / `x` $(y)\n\n  EOT\nEOT\n)\""


OTHERS = [
    ("<<'EOT'", "<<EOT"),
    ("cat <<", "sh <<"),
    ("\n)", "\nrm -rf /\n)"),
    ("cat <<'EOT'", "cat - <<'EOT'"),
    ("\nEOT\n", "\nEOT \n"),
]


def test_the_text_of_a_commit_is_data():
    commit = MESSAGE.format("one")
    assert says(["Bash(git:*)", "Bash(cat)"], [], f"git add a && {commit}") == "allow"
    assert says(["Bash(git:*)"], [], commit) is None, "cat needs a rule as well"
    assert says(["Bash"], ["Bash(rm:*)"], commit) == "allow"


@tabled(("text", "instead"), OTHERS)
def test_what_a_shell_would_read_is_no_data(text, instead):
    assert says(["Bash(git:*)", "Bash(cat)"], [], MESSAGE.format("one").replace(text, instead)) is None


def test_always_stores_what_comes_back_of_a_commit_with_a_text():
    stored = rules_for("Bash", {"command": f"git add a && {MESSAGE.format('one')}"})
    assert stored == ("Bash(git add a)", "Bash(cat)", "Bash(git commit:*)")
    assert says(stored, [], f"git add a && {MESSAGE.format('two')}") == "allow"
    assert says(stored, [], f"git add b && {MESSAGE.format('two')}") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [("$(cat", "$(\n  cat"), ("<<'EOT'", "<<\\EOT"), ("<<'EOT'", '<<"EOT"'), ("<<'EOT'", "<<-'EOT'")],
)
def test_a_text_is_data_however_it_is_written(before, after):
    commit = MESSAGE.format("one").replace(before, after)
    assert says(["Bash(git:*)", "Bash(cat)"], [], commit) == "allow"
    assert rules_for("Bash", {"command": commit}) == ("Bash(cat)", "Bash(git commit:*)")


TOO_MUCH = ["git -C x commit -m", "rm -rf", "bash -c", "sudo git commit -m", "env A=b git", "python3 -c", "eval"]


@pytest.mark.parametrize("begin", TOO_MUCH)
def test_always_stores_no_rule_that_would_allow_all_of_a_program(begin):
    command = f"{begin} \"$(cat <<'E'\ntext\nE\n)\""
    assert says(rules_for("Bash", {"command": command}), [], command) == "allow"
    assert says(rules_for("Bash", {"command": command}), [], command.replace("text", "other")) is None


@pytest.mark.parametrize(
    "command",
    ["cat <<E\n" * 2_000 + "E\n" * 2_000, "(" * 9_000 + ")" * 9_000, "git push" + " \\\n" * 50_000,
     "git " + "-c a=b " * 20_000 + "push", "git " * 50_000, "$(" * 20_000,
     "{a," * 50_000, "git commit -m \"$(cat <<'E'\n" + "x\n" * 100_000, "'" * 99_999, '"$(' * 9_000],
    ids=lambda text: text[:12].replace("\n", " "),
)  # fmt: skip
def test_a_hostile_command_is_decided(command):
    says(["Bash(ls:*)"], ["Bash(git * main)", "Bash(git push:*)", "Bash(curl:*)"], command)


FED = "git add a && git commit -F - <<'EOF'\n{}\nEOF"
GIT = ["Bash(git *)", "Bash(cat)", "Bash(gh pr:*)"]
DATA = [
    FED.format("one"),
    FED.format("it's `id` $(rm x) && git push\nrm -rf ~\n EOF\nEOFF"),
    FED.format(""),
    FED.format("one") + "\n",
    FED.format("one") + "\ngit status",
    "git add a && \\\n  git commit -F - <<'EOF'\none\nEOF",
    "git commit -F - --no-verify <<'EOF' && git status\none\nEOF\ngit log",
    'git commit --file=- <<"EOF"\n$x\nEOF',
    "git commit <<\\EOF -F -\n$x\nEOF",
    "git commit -F - <<-'EOF'\n\tone\n\tEOF",
    "git tag v1 -F - <<'EOF'\none\nEOF\ngit commit -F - <<'X'\ntwo\nX",
    "gh pr create --title x --body-file - <<'EOF'\none\nEOF",
]


@tabled("command", DATA)
def test_the_text_of_a_commit_that_comes_by_standard_input_is_data(command):
    assert says(GIT, [], command) == "allow"
    assert says(GIT, ["Bash(rm:*)", "Bash(git push:*)"], command) == "allow"
    assert says(["Bash(cat)"], [], command) is None


RUN = "{} <<'EOF'\nrm -rf ~\nEOF"
NO_DATA = [
    *(RUN.format(one) for one in (
        "sh", "bash -s", "python3 -", "ssh x", "eval", "xargs", "cat", "sudo git commit -F -", "git commit", "git am",
        "git -c alias.commit='!sh' commit -F -", "git -C x commit -F -", "git bisect run sh -F -", "git $x -F -",
        'git commit -F - "$x"', "git submodule foreach sh -F -", "do git commit -F -", "A=b git commit -F -",
        "git commit -F -x", "git commit -F - -- (", "$(git commit -F -", "git commit -F - <<'X'", "x; git am",
    )),
    FED.format("one\nEOF\nrm -rf ~"),  # what follows the text is run
    FED.format("one") + "; rm -rf ~",  # it doesn't end there
    "git commit -F - <<'EOF'\none",
    "git commit -F - <<EOF\n$(rm -rf ~)\nEOF",
    "git commit -F - <<'EOF' && rm -rf ~\none\nEOF",
    "git commit -F - <<'EOF' | sh\none\nEOF",
    "git commit -F - <<'EOF' \"\n\"\none\nEOF\nrm -rf ~",
    "git commit -F - <<'EOF' # '\none\nEOF\nrm -rf ~",
    "git commit -F - <<'EOF'\nx\\\nEOF\nrm -rf ~\ngit commit -F - <<'EOF'\nEOF",
    "git commit -F - <<'EOF'\nEO\\\nF\ngit commit -F - <<'Z'\nEOF\nrm -rf ~\nZ",
    "git commit -F - <\\\n<'EOF'\nx\\\nEOF\nrm -rf ~\ngit commit -F - <<'EOF'\nEOF",
    "git commit -F - 'a <<' <<'EOF'\nx\\\nEOF\nrm -rf ~\nEOF",
    'git commit -m "$(cat <<\'EOF\'\nx\\\nEOF\n)"; rm -rf ~; git commit -m "$(cat <<\'EOF\'\nEOF\n)"',
    "git commit -F - <<'EOF'\none\nEOF\r\nrm -rf ~\nEOF\nrm -rf ~",
    "git commit -F - <<'EOF'\none\n\0\nEOF",
    "`git commit -F - <<'EOF'\none\nEOF\n`",
    "(git commit -F - <<'EOF'\none\nEOF\n)",
]  # fmt: skip


@tabled("command", NO_DATA)
def test_what_runs_the_text_or_ends_it_elsewhere_is_asked_for(command):
    assert says(GIT, [], command) is None


def test_always_stores_a_rule_of_the_commit_and_not_its_text():
    assert rules_for("Bash", {"command": FED.format("one")}) == ("Bash(git add a)", "Bash(git commit:*)")
    assert rules_for("Bash", {"command": "git commit -F - <<'EOF'\none\nEOF"}) == ("Bash(git commit:*)",)
    (whole,) = rules_for("Bash", {"command": RUN.format("bash -s")})
    assert whole.startswith("Bash(bash -s <<")
