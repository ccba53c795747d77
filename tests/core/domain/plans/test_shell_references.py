"""Where a reference may stand in a shell's text, what it becomes there, and why it may not stand elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.plans.references import BrokenReference, bind_shell, check_shell, check_text
from tests.kit.cases import tabled

VALUES = {"vars.x": "ex", "vars.y": "why", "agents.a.result": "$(evil)"}
R = "${vars.x}"
V = "${OVERMIND_REF_1}"

BOUND = {
    "bare": (f"echo {R}", f'echo "{V}"'),
    "part of a word": (f"a={R}/b{R}*", f'a="{V}"/b"{V}"*'),
    "quoted": (f'echo "a {R} b"', f'echo "a {V} b"'),
    "after an escaped quote": (f'echo "\\"{R}" \\"{R}', f'echo "\\"{V}" \\""{V}"'),
    "after an escaped backslash": (f'echo \\\\{R} "\\\\{R}"', f'echo \\\\"{V}" "\\\\{V}"'),
    "after single quotes": (f"echo 'it\"s' {R}", f"echo 'it\"s' \"{V}\""),
    "after a $'…' with a quote": (f"echo $'it\\'s' {R}", f"echo $'it\\'s' \"{V}\""),
    "single quotes in double ones": (f"echo \"'{R}'\" \"$'{R}'\"", f"echo \"'{V}'\" \"$'{V}'\""),
    "substitution": (f"echo $(cat {R})", f'echo $(cat "{V}")'),
    "quoted substitution": (f'echo "$(cat {R}) {R}"', f'echo "$(cat "{V}") {V}"'),
    "quoted in a quoted substitution": (f'echo "$(cat "{R}" {R})"', f'echo "$(cat "{V}" "{V}")"'),
    "deep": (f'"$(a "$(b "$(c {R})" "{R}")")"', f'"$(a "$(b "$(c "{V}")" "{V}")")"'),
    "default": (f"${{n:-{R}}}", f'${{n:-"{V}"}}'),
    "quoted default": (f'"${{n:-{R}}}"', f'"${{n:-{V}}}"'),
    "default in quotes in quotes": (f'"${{n:-"{R}"}}"', f'"${{n:-"{V}"}}"'),
    "apostrophe in a quoted default": (f'"${{n:-it\'s {R}}}" {R}', f'"${{n:-it\'s {V}}}" "{V}"'),
    "brace in quotes in a default": (f"${{n:-'}}'{R}}}", f"${{n:-'}}'\"{V}\"}}"),
    "pattern": (f'"${{n#{R}}}" "${{n%"{R}"}}"', f'"${{n#"{V}"}}" "${{n%"{V}"}}"'),
    "quoted brace in a pattern": (f"\"${{n#'}}'}}\" {R}", f"\"${{n#'}}'}}\" \"{V}\""),
    "length and other parameters": (f"${{#n}} ${{#}} $# $$ {R}", f'${{#n}} ${{#}} $# $$ "{V}"'),
    "comment": (f"a # it's {R}\necho {R}", f'a # it\'s {V}\necho "{V}"'),
    "comment after an operator": (f"a;# it's\n{R}", f'a;# it\'s\n"{V}"'),
    "comment after a continued line": (f"a \\\n# it's\n{R}", f'a \\\n# it\'s\n"{V}"'),
    "no comment": (f"a#'{{'{R} {R}#\"", None),
    "comment in a substitution": (f"$(a # it's )\n {R}) {R}", f'$(a # it\'s )\n "{V}") "{V}"'),
    "case in a substitution": (
        f"$(case a in b|c) d;; (e) f;; esac; {R}) '' {R}",
        f'$(case a in b|c) d;; (e) f;; esac; "{V}") \'\' "{V}"',
    ),
    "case in a case": (
        f"$(case a in\nb) case c in d) e;; esac ;; esac; echo esac {R}) '' {R}",
        f"$(case a in\nb) case c in d) e;; esac ;; esac; echo esac \"{V}\") '' \"{V}\"",
    ),
    "case behind other words": (
        f"$(if ! case a in b) c;; esac; then d; fi) {R}",
        f'$(if ! case a in b) c;; esac; then d; fi) "{V}"',
    ),
    "the word case": (f"$(echo case a in) {R}", f'$(echo case a in) "{V}"'),
    "the pattern case": (f"$(case a in case) b;; esac) {R}", f'$(case a in case) b;; esac) "{V}"'),
    "subject and pattern": (f"case {R} in {R}) b;; esac", f'case "{V}" in "{V}") b;; esac'),
    "groups in a substitution": (f"$( (a) | (b; (c)) ) {R}", f'$( (a) | (b; (c)) ) "{V}"'),
    "function": (f"f() {{ a {R}; }}; f", f'f() {{ a "{V}"; }}; f'),
    "substitution in arithmetic": (f"$((1 + $(wc <{R})))", f'$((1 + $(wc <"{V}")))'),
    "shift in arithmetic": (f"$((1<<2)) {R}\n{R}", f'$((1<<2)) "{V}"\n"{V}"'),
    "arithmetic command": (f"((a = 1<<2)) {R}\n{R}", f'((a = 1<<2)) "{V}"\n"{V}"'),
    "two groups": (f"((a {R}); b)", f'((a "{V}"); b)'),
    "two groups in a substitution": (f"$((a {R}); b)", f'$((a "{V}"); b)'),
    "redirections": (f"a >{R} 2>&1 >|{R} <>{R} &>{R}", f'a >"{V}" 2>&1 >|"{V}" <>"{V}" &>"{V}"'),
    "here-string": (f"cat <<<{R}\n{R}", f'cat <<<"{V}"\n"{V}"'),
    "before and after a here-document": (
        f"cat <<E - {R}\nit's $(\nE\n{R}",
        f'cat <<E - "{V}"\nit\'s $(\nE\n"{V}"',
    ),
    "here-document with a quoted end": (f"cat <<'a b'\na\na b\n{R}", f"cat <<'a b'\na\na b\n\"{V}\""),
    "here-document with an escaped end": (f"cat <<\\E\n\\\nE\n{R}", f'cat <<\\E\n\\\nE\n"{V}"'),
    "indented here-document": (f"cat <<-E\n\t'\n\tE\n{R}", f"cat <<-E\n\t'\n\tE\n\"{V}\""),
    "two here-documents": (f"cat <<A <<B\n'\nA\n\"\nB\n{R}", f"cat <<A <<B\n'\nA\n\"\nB\n\"{V}\""),
    "here-document in a substitution": (f"$(cat <<E\n)'\nE\n) {R}", f"$(cat <<E\n)'\nE\n) \"{V}\""),
    "quotes over the end of a line": (f"cat <<E 'a\nb'\n'\nE\n{R}", f"cat <<E 'a\nb'\n'\nE\n\"{V}\""),
    "continued line of a here-document": (f"cat <<E\na\\\nE\n'\nE\n{R}", f"cat <<E\na\\\nE\n'\nE\n\"{V}\""),
    "escaped": (f"echo '$${{vars.x}}' {R} $${{HOME}}", f"echo '${{vars.x}}' \"{V}\" ${{HOME}}"),
}  # fmt: skip


@tabled(("text", "expected"), BOUND.values(), ids=BOUND)
def test_a_variable_takes_the_place_of_a_reference(text, expected):
    if expected is None:
        assert check_shell(text) != []
        return
    assert check_shell(text) == []
    assert bind_shell(text, VALUES) == (expected, {"OVERMIND_REF_1": "ex"})


def test_the_same_reference_is_one_variable():
    text, environment = bind_shell("${vars.y} ${agents.a.result} ${vars.y} ${vars.x}", VALUES)
    assert text == '"${OVERMIND_REF_1}" "${OVERMIND_REF_2}" "${OVERMIND_REF_1}" "${OVERMIND_REF_3}"'
    assert environment == {"OVERMIND_REF_1": "why", "OVERMIND_REF_2": "$(evil)", "OVERMIND_REF_3": "ex"}


def test_a_text_without_references_stays_as_it_is():
    assert bind_shell("echo 'open ${HOME} `", VALUES) == ("echo 'open ${HOME} `", {})


SINGLE, BACKTICKS, DOCUMENT, SUM = "single quotes", "backticks", "here-document", "arithmetic"
REFUSED = [
    (f"echo '{R}'", 6, SINGLE),
    (f"echo \"$(echo '{R}')\"", 14, SINGLE),
    (f"echo ${{n:-'{R}'}}", 11, SINGLE),
    (f"echo \"${{n#'{R}'}}\"", 11, SINGLE),
    (f"echo $'{R}'", 7, "$'…'"),
    (f"echo $'\\'{R}'", 9, "$'…'"),
    (f"echo `cat {R}`", 10, BACKTICKS),
    (f'echo "`cat \\`{R}\\``"', 13, BACKTICKS),
    (f"cat <<E\n{R}\nE\n", 8, DOCUMENT),
    (f"cat <<'E'\n{R}\nE\n", 10, DOCUMENT),
    (f"cat <<-E\n\t{R}\n\tE\n", 10, DOCUMENT),
    (f"cat <<A <<B\nA\n{R}\nB\n", 14, DOCUMENT),
    (f"cat <<E\n$(echo {R})\nE\n", 15, DOCUMENT),
    (f"cat <<E\n\tE\n{R}", 11, DOCUMENT),
    (f"cat <<{R}\n", 6, DOCUMENT),
    (f"$(cat <<E\n{R}\nE\n)", 10, DOCUMENT),
    (f"echo $((1 + {R}))", 12, SUM),
    (f'echo "$(( ({R}) ))"', 11, SUM),
    (f"echo $((${{n:-{R}}}))", 13, SUM),
    (f"(({R} > 1))", 2, SUM),
    (f"for ((i = 0; i < {R}; i++))", 17, SUM),
    (f"[[ {R} -gt 3 ]]", 3, SUM),
    (f'if [[ "{R}" -gt 3 ]]; then', 7, SUM),
    (f"echo $[{R}]", 7, SUM),
    (f"echo ${{n:{R}}}", 9, SUM),
    (f"echo ${{n[{R}]}}", 9, SUM),
    (f"echo ${{{R}}}", 7, "name"),
    (f"echo ${{#{R}}}", 8, "name"),
    (f"echo ${{n{R}}}", 8, "name"),
    (f"echo \\{R}", 6, "backslash"),
    (f'echo "\\{R}"', 7, "backslash"),
    (f"echo {R} 'open", 15, "this ' is never closed"),
    (f'echo "{R}', 5, 'this " is never closed'),
    (f"echo $(cat {R}", 5, "this $( is never closed"),
    (f"echo {R} ${{x", 15, "this ${ is never closed"),
    (f"echo {R} `", 15, "this ` is never closed"),
    (f"echo {R} $'\\'", 15, "this $' is never closed"),
    (f"cat <<'E {R}", 6, "this ' is never closed"),
    ("echo ${agent.a.result}", 5, "shells do not expand ${agent.…}"),
    ("echo $${vars.x}", 5, "shells do not expand ${vars.…}"),
    (f"$${{a}}$${{b}}{R}'$${{c}}{R}'", 25, SINGLE),
    (f"{'$(' * 60}{R}", 100, "50 quotes and substitutions"),
]


@tabled(("text", "at", "why"), REFUSED)
def test_a_reference_that_no_shell_can_expand_safely_is_refused(text, at, why):
    (problem,) = check_shell(text)
    assert (problem.at, why in problem.why) == (at, True), problem
    with pytest.raises(BrokenReference) as refused:
        bind_shell(text, VALUES)
    assert refused.value.at == at


def test_all_problems_are_shown_at_once_and_in_order():
    text = f"a '{R}' ${{vars.}} `{R}` ${{foo.bar}} {R} \"open"
    assert [one.at for one in check_shell(text)] == [3, 14, 24, 35, 56]


def test_many_groups_that_look_like_arithmetic_are_read_once_each():
    text = "$((a) " * 40 + R + ")" * 40
    assert check_shell(text) == []


pieces = ["'", '"', "`", "$(", "((", "$((", "))", ")", "${n:-", "${n#", "}", "\\", "\n", "#", " ", ";", "|", "<<E", "E"]
pieces += ["case a in ", "a)", ";; ", "esac", "$'", "$[", "[[ ", " ]]", "$${", R, "${vars.", "\0", "<", ">", "x"]


@given(st.lists(st.sampled_from(pieces), max_size=20).map("".join))
def test_every_text_is_bound_or_refused_with_the_same_words(text):
    problems = check_shell(text)
    assert problems == sorted(problems)
    assert {one.at for one in check_text(text)} <= {one.at for one in problems}
    assert all(0 <= one.at <= len(text) and one.why for one in problems)
    if problems:
        with pytest.raises(BrokenReference) as refused:
            bind_shell(text, VALUES)
        assert (refused.value.at, refused.value.why) == problems[0]
        return
    bound, environment = bind_shell(text, VALUES)
    assert bound.count("OVERMIND_REF_1") == text.replace("$${", "").count(R)
    assert set(environment.values()) <= {"ex"}
