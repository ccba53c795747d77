"""Programs that start another one, named among their words: where its words stand, and which of them only they know.

It finds programs that may be denied, so it is generous: what may be a command is one. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from overmind_core.domain.shell.words import Word, split

ANYTHING = Word("$@", is_known=False, is_one=False)
"""Words of which nothing is known."""
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")

GIVEN = "$_"
"""Stands for what a program puts into a word, so that it reads as a variable."""
_NO_OPTIONS: frozenset[str] = frozenset()


class Carrier(NamedTuple):
    """A program that starts another one, behind its own options."""

    before: int | None = 0
    """Words that are no options before the other's name; None: it may stand anywhere."""
    valued: frozenset[str] = _NO_OPTIONS
    """Options that take the next word as their value."""
    texts: frozenset[str] = _NO_OPTIONS
    """Options whose value is a command for a shell."""
    joins: bool = False
    """It makes one text of its words and gives that to a shell."""


class Carried(NamedTuple):
    """A carrier in a command."""

    carrier: Carrier
    begin: int
    """Index of the first word that may be its option or the other program."""


def _options(text: str) -> frozenset[str]:
    return frozenset(text.split())


_C = _options("-c --command")
_SHELL_SSH = _options("-b -B -c -D -E -e -F -I -i -J -L -l -m -O -o -P -p -Q -R -S -W -w")
_TRACE = _options("-a -b -e -E -F -I -l -n -o -O -p -P -s -S -u -U -X --trace --output --user")
_XARGS = _options(
    "-I -J -L -n -P -R -s -S -d -E -a --arg-file --delimiter --max-lines --max-args --max-procs --max-chars "
    "--process-slot-var"
)
_PARALLEL = _options(
    "-j --jobs -P --max-procs -N -n --max-args -L -S --sshlogin -a --arg-file -C --colsep -d --delimiter --joblog -I "
    "-U --results --retries --timeout --delay --load --memfree --tmpdir --wd --workdir --tagstring --halt -E -s --nice "
    "--env --basefile --bf --block --recstart --recend --rpl --shuf-file --tempdir --compress-program"
)
_NICE = _options("-n --adjustment")

CARRIERS: Mapping[str, Carrier] = {
    **dict.fromkeys(
        _options("command builtin nohup setsid noglob nocorrect exec busybox toybox unbuffer fakeroot fakechroot "
        "valgrind numactl firejail tini dumb-init catatonit prlimit systemd-inhibit catchsegv torsocks tsocks xinit "
        "pkexec run0 ccache distcc sccache bear scan-build heaptrack daemonize flatpak-spawn dbus-launch npx bunx "
        "pnpx uvx dotenv gnohup rlwrap entr setarch linux32 linux64 i386 x86_64 nsys caffeinate chpst softlimit"),
        Carrier(valued=_options("-a -p -n -N -m -i -C -f -t -w -r -u --from --with --package --python --user")),
    ),
    "sudo": Carrier(valued=_options(
        "-u -g -h -p -C -r -t -T -D -R -U --user --group --host --prompt --close-from --role --type --chdir --chroot "
        "--command-timeout --other-user")),
    "doas": Carrier(valued=_options("-u -C -a")),
    **dict.fromkeys(["env", "genv"], Carrier(valued=_options("-u -C --unset --chdir"))),
    **dict.fromkeys(["nice", "gnice"], Carrier(valued=_NICE)),
    "ionice": Carrier(valued=_options("-c -n -P -u --class --classdata")),
    "choom": Carrier(valued=_NICE),
    **dict.fromkeys(["time", "gtime"], Carrier(valued=_options("-f -o --format --output"))),
    **dict.fromkeys(["timeout", "gtimeout"], Carrier(before=1, valued=_options("-s -k --signal --kill-after"))),
    **dict.fromkeys(["stdbuf", "gstdbuf"], Carrier(valued=_options("-i -o -e --input --output --error"))),
    **dict.fromkeys(["xargs", "gxargs"], Carrier(valued=_XARGS)),
    **dict.fromkeys(["parallel", "sem"], Carrier(valued=_PARALLEL, joins=True)),
    **dict.fromkeys(["chroot", "gchroot"], Carrier(before=1)),
    "chrt": Carrier(before=1, valued=_options("-T -P -D")),
    "taskset": Carrier(before=1),
    "flock": Carrier(before=1, valued=_options("-w -E --timeout --wait --conflict-exit-code"), texts=_C),
    **dict.fromkeys(["faketime", "gosu", "su-exec", "setuidgid", "envuidgid", "envdir", "setlock", "logsave"],
                    Carrier(before=1)),
    **dict.fromkeys(["ssh", "autossh", "mosh"], Carrier(before=1, valued=_SHELL_SSH, joins=True)),
    "sshpass": Carrier(valued=_options("-p -f -d -P")),
    "ssh-agent": Carrier(valued=_options("-a -E -O -P -t")),
    "dbus-run-session": Carrier(valued=_options("--config-file --dbus-daemon")),
    "xvfb-run": Carrier(valued=_options(
        "-e -f -n -p -s -w --error-file --auth-file --server-num --xauth-protocol --server-args --wait")),
    "unshare": Carrier(valued=_options("-R -w -S -G --root --wd --setuid --setgid --map-user --map-group")),
    "nsenter": Carrier(valued=_options("-t -S -G --target --setuid --setgid")),
    "setpriv": Carrier(valued=_options(
        "--reuid --regid --ruid --euid --rgid --egid --groups --inh-caps --ambient-caps --bounding-set --securebits "
        "--pdeathsig --selinux-label --apparmor-profile")),
    "systemd-run": Carrier(valued=_options(
        "-p -u -E -H -M --property --unit --description --slice --setenv --uid --gid --nice --working-directory "
        "--host --machine --on-active --on-calendar --service-type")),
    "systemd-cat": Carrier(valued=_options("-t -p --identifier --priority")),
    "cgexec": Carrier(valued=_options("-g")),
    **dict.fromkeys(["strace", "ltrace"], Carrier(valued=_TRACE)),
    **dict.fromkeys(["proxychains", "proxychains4"], Carrier(valued=_options("-f"))),
    "watch": Carrier(valued=_options("-n -q --interval --equexit"), joins=True),
    "eval": Carrier(joins=True),
    "runuser": Carrier(before=None, texts=_C),
    **dict.fromkeys(["su", "sg", "script"], Carrier(before=None, texts=_C)),
    "nix-shell": Carrier(before=None, texts=_options("--run --command")),
    **dict.fromkeys(
        _options("find gfind fd fdfind trap perf gdb lldb rr bwrap proot fzf sk watchexec nodemon hyperfine tmux "
        "screen dtach abduco mpirun mpiexec srun start-stop-daemon uftrace tsp dotenvx"),
        Carrier(before=None),
    ),
}  # fmt: skip
"""Programs that start the one named behind their own options."""

_NEXT = Carrier()
_SOMEWHERE = Carrier(before=None)
_RUN: Mapping[str, Carrier] = {"run": _SOMEWHERE}
_EXEC: Mapping[str, Carrier] = {"exec": _NEXT}
_INSIDE: Mapping[str, Carrier] = {"run": _SOMEWHERE, "exec": _SOMEWHERE, "debug": _SOMEWHERE}
_TOOLS: Mapping[str, Carrier] = {"exec": Carrier(before=None, texts=_C), "x": Carrier(before=None, texts=_C)}
_TEXT_LATER = Carrier(before=None, texts=_options(
    "-x --exec --extcmd --setup --env-filter --tree-filter --index-filter --parent-filter --msg-filter --commit-filter "
    "--tag-name-filter --subdirectory-filter"
))  # fmt: skip
SUBCOMMANDS: Mapping[str, Mapping[str, Carrier]] = {
    "git": {"foreach": Carrier(joins=True), "run": _NEXT, "rebase": _TEXT_LATER, "filter-branch": _TEXT_LATER,
            "difftool": _TEXT_LATER},
    "cargo": {"watch": Carrier(before=None, texts=_options("-s --shell"))},
    "npm": {"exec": _NEXT, "x": _NEXT},
    "pnpm": {"exec": _NEXT, "dlx": _NEXT},
    "yarn": {"exec": _NEXT, "dlx": _NEXT},
    "bun": {"x": _NEXT},
    **dict.fromkeys(["uv", "poetry", "pipenv", "pdm", "hatch", "rye", "pipx", "conda", "mamba", "micromamba", "devbox",
                     "doppler", "op", "infisical", "toolbox", "flatpak", "snap", "volta"], _RUN),
    "pixi": {"run": _SOMEWHERE, "exec": _SOMEWHERE},
    **dict.fromkeys(["bundle", "bundler", "rbenv", "pyenv", "nodenv", "goenv", "asdf", "fnm", "nvm", "opam", "stack",
                     "cabal"], _EXEC),
    **dict.fromkeys(["mise", "rtx"], _TOOLS),
    "direnv": {"exec": Carrier(before=1)},
    "nix": dict.fromkeys(["run", "shell", "develop"], Carrier(before=None, texts=_C)),
    "guix": dict.fromkeys(["shell", "environment"], _SOMEWHERE),
    **dict.fromkeys(["docker", "podman", "nerdctl", "kubectl", "oc", "lxc", "incus", "aws-vault", "chamber"], _INSIDE),
    "sops": {"exec-env": _SOMEWHERE, "exec-file": _SOMEWHERE},
    "distrobox": {"enter": _SOMEWHERE},
    "vagrant": {"ssh": Carrier(before=None, texts=_C)},
    "adb": {"shell": Carrier(joins=True)},
}  # fmt: skip
"""Program → subcommand behind which the words of another program stand."""

_SEARCHES = frozenset(["find", "gfind", "fd", "fdfind"])
_EXECUTES = frozenset(["-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"])
"""Options of the searches behind which a command stands, up to `;` or `+`."""
_INPUTS = frozenset([":::", ":::+", "::::", "::::+"])
"""Behind one of these `parallel` has what it puts into the command."""
_BRACES = re.compile(r"\{[^{}\s]*\}")
_INSERTS = re.compile(r"-[0rtopx]*(?P<letter>[IJUi])(?P<sign>.*)", re.DOTALL)
"""Options of `xargs` and `parallel` that name the sign of what they put into words."""


def carried(words: Sequence[Word], at: int, most: int) -> Carried | None:
    """Return the carrier that the word at an index names; None: it is none. A subcommand is one of the next `most`."""
    program = base(words[at])
    carrier = CARRIERS.get(program)
    if carrier is not None:
        return Carried(carrier, at + 1)
    known = SUBCOMMANDS.get(program)
    if known is not None:
        for index in range(at + 1, min(len(words), at + most)):
            if words[index].is_known and words[index].text in known:
                return Carried(known[words[index].text], index + 1)
    return None


def base(word: Word) -> str:
    """The name of a program without its folder."""
    return word.text.rpartition("/")[2] if word.is_known else word.text


def first_word(found: Carried, words: Sequence[Word]) -> int | None:
    """Return the index of the other program's name; None: there is none, or it can't be told."""
    carrier, index = found
    if carrier.before is None:
        return None
    before, has_options = carrier.before, True
    while index < len(words):
        text = words[index].text
        if has_options and text == "--":
            has_options = False
        elif has_options and text.startswith("-") and len(text) > 1:
            index += text in carrier.valued
        elif not ASSIGNMENT.match(text):
            if not before:
                return index
            before -= 1
        index += 1
    return None


def unknown_texts(found: Carried, words: Sequence[Word]) -> Iterator[Word]:
    """Commands for a shell of which nothing is known: values of the carrier's options."""
    for at in range(found.begin, len(words)):
        word = words[at]
        if not word.is_known and (
            words[at - 1].text in found.carrier.texts or word.text.partition("=")[0] in found.carrier.texts
        ):
            yield word


def filled(program: str, found: Carried, words: Sequence[Word]) -> list[Word]:
    """The words with those unknown that a carrier puts something into. All others are left, and their number."""
    holes = _holes(program, found, words)
    if holes is None:
        return list(words)
    begin = first_word(found, words) or found.begin
    return [*words[:begin], *(_with_holes(word, holes) for word in words[begin:])]


def _holes(program: str, found: Carried, words: Sequence[Word]) -> re.Pattern[str] | None:
    if program in {"parallel", "sem", "fzf", "sk", "fd", "fdfind"}:
        own = _own_holes(found, words)
        return re.compile("|".join([_BRACES.pattern, *map(re.escape, own)]))
    if program in {"xargs", "gxargs"}:
        own = _own_holes(found, words)
        return re.compile("|".join([re.escape(one) for one in ("{}", *own)]))
    if program == "entr":
        return re.compile(re.escape("/_"))
    return re.compile(re.escape("{}")) if program in _SEARCHES else None


def _own_holes(found: Carried, words: Sequence[Word]) -> list[str]:
    """What the options of a carrier name as its sign in words, such as `-I %`."""
    own = []
    for at in _own_options(found, words):
        text = words[at].text
        following = words[at + 1].text if at + 1 < len(words) else ""
        inserts = _INSERTS.match(text)
        if inserts is not None:
            own.append(inserts["sign"] or (following if inserts["letter"] != "i" else ""))
        elif text.startswith("--re"):
            own.append(text.partition("=")[2])
        elif text == "--rpl":
            own.append(following.partition(" ")[0])
    return [one for one in own if one]


def _own_options(found: Carried, words: Sequence[Word]) -> range:
    end = first_word(found, words)
    return range(found.begin, len(words) if end is None else end)


def _inserting(found: Carried, words: Sequence[Word]) -> list[Word]:
    """Options, with their values, by which `xargs` puts what it is given into the words, not behind them."""
    return [
        word
        for at in _own_options(found, words)
        if (inserts := _INSERTS.match(words[at].text)) or words[at].text.startswith("--re")
        for word in words[at : at + (2 if inserts and not inserts["sign"] and inserts["letter"] != "i" else 1)]
    ]


def _with_holes(word: Word, holes: re.Pattern[str]) -> Word:
    text = holes.sub(GIVEN, word.text)
    return word if text == word.text else Word(text, is_known=False, is_one=word.is_one)


def commands(program: str, found: Carried, words: Sequence[Word]) -> Iterator[list[Word]]:
    """The commands that a carrier makes of its words and of what it is given, where that is more than its words.

    Args:
        program: Its name.
        found: Where it stands.
        words: All words, after `filled`.
    """
    if program in {"xargs", "gxargs"}:
        first, inserting = first_word(found, words), _inserting(found, words)
        if not all(word.is_known for word in inserting):
            yield [ANYTHING]  # its sign may be any word
        elif first is not None and not inserting:
            yield [*words[first:], ANYTHING]
    elif program in {"parallel", "sem"}:
        end = next((at for at in range(found.begin, len(words)) if words[at].text in _INPUTS), len(words))
        own = list(words[:end])
        first = first_word(found, own)
        if first is None:
            yield [ANYTHING]  # each thing that it is given is a command
        else:
            has_holes = any(GIVEN in word.text for word in own[first:])
            yield own[first:] if has_holes else [*own[first:], ANYTHING]
    elif program in _SEARCHES:
        yield from _executed(program, found, words)
    elif program == "cargo":
        yield from ([Word(program), *one] for one in _of_cargo(words[found.begin :]))


def _executed(program: str, found: Carried, words: Sequence[Word]) -> Iterator[list[Word]]:
    begins = [at + 1 for at in range(found.begin, len(words)) if words[at].text in _EXECUTES]
    for begin in begins:
        ends = (at for at in range(begin, len(words)) if words[at].text == ";")
        several = (at + 1 for at in range(begin, len(words) - 1)
                   if words[at].text == GIVEN and words[at + 1].text == "+")  # fmt: skip
        command = list(words[begin : min(next(ends, len(words)), next(several, len(words)))])
        if command and program.startswith("fd") and not any(GIVEN in word.text for word in command):
            command.append(ANYTHING)
        if command:
            yield command


def _of_cargo(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words that `cargo watch -x 'publish --all'` gives to another cargo."""
    for at, word in enumerate(words):
        option, equals, value = word.text.partition("=")
        if option in {"-x", "--exec"}:
            given = word._replace(text=value) if equals else next(iter(words[at + 1 : at + 2]), word)
            yield split(given.text) if given.is_known else [ANYTHING]
