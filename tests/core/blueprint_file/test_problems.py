"""Every mistake that a blueprint can have, and the exact place that it is told for.

A § in a text stands where the mistake is expected; the sentences follow in the order of the file.
"""

from __future__ import annotations

import pytest

from overmind_core.blueprint_file import keys
from overmind_core.blueprint_file.foreign_keys import FOREIGN_AGENT, FOREIGN_ROOT, FOREIGN_WHOLE, foreign_format
from overmind_core.domain.plans.blueprint import ENDS
from overmind_core.domain.text.problems import Problems, decoded
from tests.kit.blueprint_texts import marked, problems
from tests.kit.cases import tabled

RIGHT = '[agents.a]\ncommand = "true"\n'
SERVICES = {
    "a service": "service = true",
    "what always restarts": 'restart = "always"',
    "a port": "ready = { tcp = 80 }",
    "a page": 'ready = { http = "http://127.0.0.1/" }',
}
"""Agents that never end on their own."""
TWO = f'{RIGHT}[agents.b]\ncommand = "true"\n'
NO_DURATION = "is not a duration: write a number with ms, s, m, h or d, such as 90s or 1.5h"
NO_NAME = "A name can only contain ASCII letters, digits, '.', '_' and '-', and begins with a letter or digit"
NO_COMMAND = 'missing command: give one, as in command = "make test"'
NO_AGENTS = 'no agents: write [agents.NAME] and command = "…" below it'
UNTILS = "known are started, ready, success, finished, failure"
ONE_OF = 'ready: write one of tcp, http, exec, log, idle, such as { tcp = 8080 } or { log = "listening" }'
NOBODY = 'merge: write the name of an agent in quotes, or a list of them: merge = ["api", "ui"]'
LATE = "it tells its cost at the end of a turn, and a task is one turn."
LAST_CALL = "it tells only those of the last call of each turn."
FOR_AGENTS = 'is for agents, but this is a plain command. Add a provider, such as provider = "claude"'

SYNTAX = {
    "no value": ("[agents.a]\ncommand = §\n", ["unexpected character: '\\n'"]),
    "no equals sign": ("[agents.a]\ncommand§\n", ["unexpected character: '\\n'"]),
    "a text without end": ('[agents.a]\ncommand = §"make test\ncwd = "src"\n', ["this is never closed"]),
    "a long text without end": ('[agents.a]\ncommand = §"""make\ntest\n', ["this is never closed"]),
    "a list without end": ("[agents.a]\ndepends_on = §[\n  'b',\n", ["this is never closed"]),
    "a table without end": ("[agents.a]\nready = §{ tcp = 1,\n", ["this is never closed"]),
    "half a word": ("[agents.a]\ninteractive = tru§", ["the file ends too early"]),
    "a key twice": (
        '[agents.a]\ncommand = "true"\n§command = "false"\n',
        ["agents.a.command is listed twice: first in line 2"],
    ),
    "a dotted key twice": (
        '[agents.a]\ncommand = "true"\nenv.A = "1"\nenv.§A = "2"\n',
        ["agents.a.env.A is listed twice: first in line 3"],
    ),
    "an agent twice": (
        f"{RIGHT}\n[agents.§a]\ncommand = 'other'\n[agents.b]\ncommand = 'true'\n",
        ["agents.a is listed twice: first in line 1"],
    ),
    "a key of an inline table twice": (
        '[agents.a]\ncommand = "true"\nenv = { A = "1", §A = "2" }\n',
        ["agents.a.env.A is listed twice: first in line 3"],
    ),
    "more of a table that was whole": (
        '[agents.a]\ncommand = "true"\nenv = { A = "1" }\nenv.§B = "2"\n[agents.a.env.§C]\n',
        ["agents.a.env is listed twice: first in line 3", "agents.a.env is listed twice: first in line 3"],
    ),
    "a table that a dotted key has made": (
        '[agents.a]\ncommand = "true"\nenv.A = "1"\n[agents.a.§env]\nB = "2"\n',
        ["agents.a.env is listed twice: first in line 3"],
    ),
    "more of a table by a dotted key": (
        f'{RIGHT}env = {{}}\n[agents.b.env]\nA = "1"\n[agents.b]\n§env.B = "2"\n',
        ["redefinition of an existing table"],
    ),
    "keys twice, and other mistakes besides": (
        '[agents.a]\ncommand = "true"\n§command = "x"\n§tiemout = 3\n[agents.§a]\ncwd = 1\n[agents.b]\ncommand = §5\n',
        [
            "agents.a.command is listed twice: first in line 2",
            "unknown key 'tiemout'. Did you mean timeout?",
            "agents.a is listed twice: first in line 1",
            "command: write a string in quotes, or a list of them",
        ],
    ),
    "another line ending": ("[agents.a]\r\ncommand = §5\r\n", ["command: write a string in quotes, or a list of them"]),
}
WHOLE = {
    "nothing": ("§", [NO_AGENTS]),
    "no agents": ("[§agents]\n", [NO_AGENTS]),
    "agents that are no table": ("agents = §5\n", ["agents: write a table"]),
    "an unknown table": (f"[§agent.b]\n{RIGHT}", ["unknown key 'agent': write [agents.NAME]"]),
    "an unknown key of the whole": (
        f"[blueprint]\n§max_paralel = 3\n{RIGHT}",
        ["unknown key 'max_paralel'. Did you mean max_parallel?"],
    ),
    "a key that nothing resembles": (f"[blueprint]\n§zzz = 3\n{RIGHT}", ["unknown key 'zzz'"]),
    "a blueprint that is no table": (f"blueprint = §true\n{RIGHT}", ["blueprint: write a table"]),
    "a name that none may have": (f'[blueprint]\nname = §"a/b"\n{RIGHT}', [f"{NO_NAME}: 'a/b'"]),
    "a bad limit of agents": (
        f"[blueprint]\nmax_parallel = §-1\n{RIGHT}",
        ["max_parallel: write a whole number from 0 up"],
    ),
    "an unknown way to go on": (
        f'[blueprint]\non_failure = §"cancle"\n{RIGHT}',
        ["on_failure: unknown value 'cancle', known are stop, continue, cancel. Did you mean cancel?"],
    ),
    "a bad duration of the whole": (
        f'[blueprint]\ntimeout = §"2 hours"\n{RIGHT}',
        [f"timeout: '2 hours' {NO_DURATION}"],
    ),
    "a variable that is a list": (
        f"[vars]\nx = §[1]\n{RIGHT}",
        ["x: write a string in quotes, a number, or true or false"],
    ),
    "a variable that nothing can refer to": (
        f'[vars]\n§"a b" = "c"\n{RIGHT}',
        ["'a b' is not a valid name: use letters, digits, '_' and '-'"],
    ),
    "a variable that refers to a later one": (
        f'[vars]\na = "x§${{vars.b}}"\nb = "c"\n{RIGHT}',
        ["a: [vars] has no 'b'"],
    ),
    "a variable that refers to an agent": (
        f'[vars]\nx = "§${{agents.a.result}}"\n{RIGHT}',
        ["x: outputs of agents are not known yet when this file is read"],
    ),
}
AGENT = {
    "an agent that is no table": ("[agents]\na = §3\n", ["a: write a table"]),
    "a name that no agent may have": ('[agents.§"a b"]\ncommand = "true"\n', [f"{NO_NAME}: 'a b'"]),
    "a name like an id": (
        '[agents.§deadbeef]\ncommand = "true"\n',
        ["A name can't be 8 hex digits: it would look like an id: 'deadbeef'"],
    ),
    "an unknown key": (
        f"{RIGHT}§max_restart = 3\n",
        ["unknown key 'max_restart'. Did you mean max_restarts?"],
    ),
    "a key with hyphens": (
        f"{RIGHT}§max-restarts = 3\n",
        ["unknown key 'max-restarts'. Did you mean max_restarts or restart?"],
    ),
    "an unknown table of an agent": (f'{RIGHT}[agents.a.§enviroment]\nA = "1"\n', ["unknown key 'enviroment'"]),
    "no command": ('[agents.§a]\nprovider = "raw"\n', [f"a: {NO_COMMAND}"]),
    "no command in a line": ("[agents]\n§a = {}\n", [f"a: {NO_COMMAND}"]),
    "no prompt": ('[agents.§a]\nprovider = "claude"\n', ["a: missing command: describe the agent's task"]),
    "an empty command": ('[agents.a]\ncommand = §"  "\n', ["command: missing command: it is empty"]),
    "an empty list as command": ("[agents.a]\ncommand = §[]\n", ["command: missing command: it is empty"]),
    "a number among words": ('[agents.a]\ncommand = ["sleep", §3]\n', ["command: write a string in quotes"]),
    "a NUL character": (
        '[agents.a]\ncommand = §"echo \\u0000"\n',
        ["command: it contains a NUL character, which no program can be given"],
    ),
    "an endless argument": (
        f'[agents.a]\ncommand = ["echo", §"{"x" * 131072}"]\n',
        ["command: it is 131072 bytes long; the limit is 131071"],
    ),
    "an unknown provider": (
        f'{RIGHT}provider = §"cluade"\n',
        [
            (
                "provider: unknown provider 'cluade', known are raw, claude, codex, gemini, opencode, qwen, copilot. "
                "Did you mean claude?"
            )
        ],
    ),
    "an unknown type": (f'{RIGHT}type = §"job"\n', ["type: unknown type 'job', known are task, session"]),
    "an unknown restart policy": (
        f'{RIGHT}restart = §"allways"\n',
        ["restart: unknown restart policy 'allways', known are never, on-failure, always. Did you mean always?"],
    ),
    "a missing folder": (f'{RIGHT}cwd = §"source"\n', ["cwd: the folder /project/source does not exist"]),
    "a missing folder that a variable names": (
        f'[vars]\nwhere = "x"\n{RIGHT}cwd = §"${{vars.where}}/y"\n',
        ["cwd: the folder /project/x/y does not exist"],
    ),
    "a missing file of variables": (
        f'{RIGHT}env_file = §".env"\n',
        ["env_file: /project/.env: No such file or directory"],
    ),
    "a variable that is a number": (f"{RIGHT}env = {{ A = §1 }}\n", ["A: write a string in quotes"]),
    "a name of no variable": (f'{RIGHT}[agents.a.env]\n§"A=B" = "1"\n', ["env: 'A=B' is not a valid name"]),
    "labels that are no table": (f'{RIGHT}labels = §["a=b"]\n', ["labels: write a table"]),
    "a bad duration": (f'{RIGHT}activity_timeout = §"5 minutes"\n', [f"activity_timeout: '5 minutes' {NO_DURATION}"]),
    "a negative duration": (f"{RIGHT}grace = §-1\n", [f"grace: '-1' {NO_DURATION}"]),
    "a duration that is true": (
        f"{RIGHT}timeout = §true\n",
        ['timeout: write a duration: a number, or a string such as "90s", "5m" or "1.5h"'],
    ),
    "an endless duration": (f"{RIGHT}backoff = §inf\n", [f"backoff: 'inf' {NO_DURATION}"]),
    "an empty window": (f"{RIGHT}max_seconds = §0\n", ["max_seconds: it must be greater than 0"]),
    "half a restart": (f"{RIGHT}max_restarts = §1.5\n", ["max_restarts: write a whole number from 0 up"]),
    "an unknown signal": (
        f'{RIGHT}stop_signal = §"TREM"\n',
        ["stop_signal: unknown signal 'TREM'. Write a name such as TERM, INT or HUP"],
    ),
    "a signal that is a list": (
        f"{RIGHT}stop_signal = §[15]\n",
        ["stop_signal: write the name of a signal in quotes, or its number"],
    ),
    "a flag in quotes": (f'{RIGHT}interactive = §"yes"\n', ["interactive: write true or false"]),
    "a size without rows": (
        f'{RIGHT}size = §"80"\n',
        ['size: write columns x rows, such as "80x24", each from 1 to 1000'],
    ),
    "money that is none": (
        f"{RIGHT}max_cost = §0\n",
        ["max_cost: write an amount of US dollars above 0, such as 2.50"],
    ),
    "tokens that are none": (
        f"{RIGHT}max_tokens = §-1\n",
        ['max_tokens: write a number of tokens above 0, such as 500000 or "500k"'],
    ),
    "a terminal that is none": (
        f"{RIGHT}interactive = true\nno_tty = §true\n",
        ["no_tty: interactive needs a terminal: remove this"],
    ),
    "an agent's option for none": (
        f'{RIGHT}§model = "haiku"\n§orchestrator = false\n',
        [f"model {FOR_AGENTS}", f"orchestrator {FOR_AGENTS}"],
    ),
    "a rule that is none": (
        f'{RIGHT}provider = "claude"\nallow = ["Bash", §"Bash(ls"]\n',
        ["allow: 'Bash(ls' is not a rule: write Tool or Tool(pattern), such as Bash(git status)"],
    ),
    "an agent without a terminal": (
        f'{RIGHT}provider = "claude"\nno_tty = §true\n',
        ["no_tty: it is for plain commands: Overmind chooses pipes or a terminal for an agent"],
    ),
    "an interactive task": (
        f'{RIGHT}provider = "claude"\ntype = "task"\ninteractive = §true\n',
        ['interactive: it is for sessions, and type is "task": leave out one of them'],
    ),
    "a mode that the program lacks": (
        '[agents.§a]\nprovider = "gemini"\ntype = "session"\ninteractive = true\n',
        ["a: gemini can't run as interactive here"],
    ),
    "an argument that collides": (
        f'{RIGHT}provider = "codex"\nagent_arg = §["--listen"]\n',
        ["agent_arg --listen conflicts with an argument that Overmind sets"],
    ),
    "limits that nobody could hold": (
        f'{RIGHT}provider = "opencode"\nmax_cost = §1\nmax_tokens = §"5k"\n',
        [
            f"max_cost is not possible with a task of opencode: {LATE}",
            f"max_tokens is not possible with opencode: {LAST_CALL} Use max_cost.",
        ],
    ),
}
PLAN = {
    "an unknown agent": (f'{TWO}depends_on = ["a", §"c"]\n', ["depends_on: no agent is named 'c'"]),
    "a misspelt agent": (
        f'[agents.build]\ncommand = "true"\n{TWO}depends_on = [§"biuld"]\n',
        ["depends_on: no agent is named 'biuld'. Did you mean build?"],
    ),
    "an agent twice": (f'{TWO}depends_on = ["a", §"a"]\n', ["depends_on: a is listed twice"]),
    "an agent twice, in two ways": (
        f'{TWO}depends_on = ["a", {{ agent = §"a", until = "ready" }}]\n',
        ["agent: a is listed twice"],
    ),
    "an agent that waits for itself": (f'{RIGHT}depends_on = [§"a"]\n', ["depends_on: a depends on itself"]),
    "a name alone": (
        f'{TWO}depends_on = §"a"\n',
        ['depends_on: write a list, such as ["build"] or [{ agent = "db", until = "ready" }]'],
    ),
    "a number among agents": (
        f"{TWO}depends_on = [§3]\n",
        ['depends_on: write the name of an agent in quotes, or { agent = "…", until = "…" }'],
    ),
    "an entry without its agent": (
        f'{TWO}depends_on = [§{{ until = "ready" }}]\n',
        ['depends_on: the name of the agent is missing: { agent = "…", until = "…" }'],
    ),
    "an entry with an unknown key": (
        f'{TWO}depends_on = [{{ agent = "a", §untill = "ready" }}]\n',
        ["unknown key 'untill'. Did you mean until?"],
    ),
    "an unknown until": (
        f'{TWO}depends_on = [{{ agent = "a", until = §"done" }}]\n',
        [f"until: unknown value 'done', {UNTILS}"],
    ),
    "an entry as a table of its own": (
        f'{TWO}[[agents.b.depends_on]]\nagent = "a"\nuntil = §"redy"\n',
        [f"until: unknown value 'redy', {UNTILS}. Did you mean ready?"],
    ),
    "a circle": (
        (
            '[agents.a]\ncommand = "x"\ndepends_on = [§"c"]\n[agents.b]\ncommand = "x"\ndepends_on = ["a"]\n'
            '[agents.c]\ncommand = "x"\ndepends_on = ["b"]\n'
        ),
        ["these agents depend on each other in a circle: a -> c -> b -> a"],
    ),
    "a circle through a reference": (
        '[agents.a]\ncommand = "echo §${agents.b.result}"\n[agents.b]\ncommand = "x"\ndepends_on = ["a"]\n',
        ["these agents depend on each other in a circle: a -> b -> a"],
    ),
    "two circles": (
        (
            '[agents]\na = { command = "x", depends_on = [§"b"] }\nb = { command = "x", depends_on = ["a"] }\n'
            'c = { command = "x", depends_on = [§"d"] }\nd = { command = "x", depends_on = ["c", "a"] }\n'
        ),
        [
            "these agents depend on each other in a circle: a -> b -> a",
            "these agents depend on each other in a circle: c -> d -> c",
        ],
    ),
    "an end that never comes": (
        f'{RIGHT}restart = "always"\n[agents.b]\ncommand = "x"\ndepends_on = [§"a"]\n',
        [
            (
                "a never ends on its own, so no agent can wait for its success. Write in depends_on:"
                ' { agent = "a", until = "ready" }, or service = false in a if it does end'
            )
        ],
    ),
    **{
        f"the {end} of {name}": (
            f'{RIGHT}{words}\n[agents.b]\ncommand = "x"\ndepends_on = [{{ agent = §"a", until = "{until}" }}]\n',
            [
                (
                    f"a never ends on its own, so no agent can wait for its {end}. Write in depends_on:"
                    ' { agent = "a", until = "ready" }, or service = false in a if it does end'
                )
            ],
        )
        for until, end in ENDS.items()
        for name, words in SERVICES.items()
    },
    "a result that never comes": (
        '[agents.a]\ntype = "session"\n[agents.b]\ncommand = "x §${agents.a.result}"\n',
        [
            (
                "a never ends on its own, so no agent can wait for its success. Write in depends_on:"
                ' { agent = "a", until = "ready" }, or service = false in a if it does end'
            )
        ],
    ),
    "outputs that are no list": (f'{RIGHT}outputs = §"facts"\n', ['outputs: write a list of names, such as ["facts"]']),
    "an output that is no name": (
        f'{RIGHT}outputs = ["facts", §"a/b", §3]\n',
        ["outputs: 'a/b' is not a valid name: use letters, digits, '_' and '-'", "outputs: write a string in quotes"],
    ),
    "an output twice": (f'{RIGHT}outputs = ["facts", §"facts"]\n', ["outputs: facts is listed twice"]),
    "an output that every agent has": (
        f'{RIGHT}outputs = [§"result"]\n',
        ["outputs: 'result' is built in for every agent: remove it"],
    ),
    "an unknown end": (
        f'{TWO}depends_on = ["a"]\nwhen = §"failed"\n',
        ["when: unknown value 'failed', known are success, failure, always. Did you mean failure?"],
    ),
    "a failure of nobody": (
        f'{RIGHT}when = §"failure"\n',
        ["when: it runs after a dependency fails, but depends_on is empty: name one there"],
    ),
    "a try that is none": (f"{RIGHT}retries = §true\n", ["retries: write a whole number from 0 up"]),
}
OWN = '[agents.a]\ncommand = "true"\nisolate = true\n'
LAND = f"{OWN}[agents.b]\n"
MERGES = {
    "a merge of nobody": (f"{LAND}merge = §[]\n", [NOBODY]),
    "a merge of something else": (f"{LAND}merge = §3\n", [NOBODY]),
    "a merge of what is no name": (f'{LAND}merge = ["a", §3]\n', ["merge: write a string in quotes"]),
    "a merge of an agent that does not exist": (
        f'{LAND}merge = [§"aa", "a"]\n',
        ["merge: no agent is named 'aa'. Did you mean a?"],
    ),
    "a merge of the same twice": (f'{LAND}merge = ["a", §"a"]\n', ["merge: a is listed twice"]),
    "a merge of itself": (f'{LAND}merge = §"b"\n', ["merge: b can't merge itself"]),
    "a merge of what shares the files": (
        f'{RIGHT}[agents.b]\nmerge = [§"a"]\n',
        ["merge: a has no worktree: set isolate = true in [agents.a]"],
    ),
    "a merge of a merge": (
        f'{LAND}merge = "a"\n[agents.c]\nmerge = §"b"\n',
        ["merge: b is itself a merging agent: name the agents that it merges"],
    ),
    "a merge and a command": (
        f'{LAND}merge = "a"\n§command = "true"\n',
        ["command can't be combined with merge: a merging agent runs no command: remove one of them"],
    ),
    "a merge and what is for commands": (
        f'{LAND}§provider = "claude"\nmerge = "a"\n§ready = {{ tcp = 1 }}\n§modle = 3\n',
        [
            "provider can't be combined with merge: remove it",
            "ready can't be combined with merge: remove it",
            "unknown key 'modle'. Did you mean model?",
        ],
    ),
    "how to merge, and nobody": (
        f'{RIGHT}§into = "main"\n',
        ['into needs merge: name the agents to merge, merge = ["api", "ui"]'],
    ),
    "a merge in two ways": (
        f'{LAND}merge = "a"\nsquash = true\nrebase = §true\n',
        ["rebase: can't be combined with squash: choose one"],
    ),
    "a branch without a name": (f'{LAND}merge = "a"\ninto = §" "\n', ["into: write the name of a branch"]),
    "a branch that is not known yet": (
        f'{LAND}merge = "a"\ninto = "§${{agents.a.result}}"\n',
        ["into: outputs of agents are not known yet when this file is read"],
    ),
    "a check that is empty": (
        f'{LAND}merge = "a"\nverify = §""\n',
        ["verify: write a command that exits with 0 if the merged work is good"],
    ),
    "a check that refers to something": (
        f'[vars]\nx = "1"\n{LAND}merge = "a"\nverify = "make §${{vars.x}}"\n',
        ["verify: it can't contain references: values can't be passed to it safely"],
    ),
    "a merge before the work is done": (
        f'{LAND}merge = §"a"\ndepends_on = [{{ agent = "a", until = "ready" }}]\n',
        ["merge: a is still running then: depends_on waits only until it is ready"],
    ),
    "a merge of a service": (
        f'{OWN}restart = "always"\n[agents.b]\nmerge = §"a"\n',
        [
            (
                "a never ends on its own, so no agent can wait for its success. Write in depends_on:"
                ' { agent = "a", until = "ready" }, or service = false in a if it does end'
            )
        ],
    ),
    "a merge in a circle": (
        f'{OWN}depends_on = [§"b"]\n[agents.b]\nmerge = "a"\n',
        ["these agents depend on each other in a circle: a -> b -> a"],
    ),
}
READY = {
    "no kind": (f'{RIGHT}ready = §{{ timeout = "1s" }}\n', [ONE_OF]),
    "two kinds": (f'{RIGHT}ready = §{{ tcp = 1, log = "x" }}\n', [ONE_OF]),
    "an unknown kind": (f"{RIGHT}ready = §{{ §tpc = 1 }}\n", [ONE_OF, "unknown key 'tpc'. Did you mean tcp?"]),
    "no table": (f"{RIGHT}ready = §8080\n", ["ready: write a table"]),
    "a port that none is": (f"{RIGHT}ready.tcp = §65536\n", ["tcp: 65536 is not a port: write 1 to 65535"]),
    "an address without a port": (
        f'{RIGHT}ready.tcp = §"localhost"\n',
        ["tcp: 'localhost' is not an address: write a port, host:port or [IPv6 address]:port"],
    ),
    "a port that is a list": (
        f"{RIGHT}ready.tcp = §[80]\n",
        ['tcp: write a port, "host:port" or "[IPv6 address]:port"'],
    ),
    "no URL": (f'{RIGHT}ready.http = §"localhost:80"\n', ["http: write a URL that begins with http:// or https://"]),
    "a URL with a bad port": (
        f'{RIGHT}ready.http = §"http://x:99999/"\n',
        ["http: write a URL that begins with http:// or https://"],
    ),
    "no expression": (
        f'{RIGHT}ready.log = §"("\n',
        ["log: this is not a valid regular expression: missing ), unterminated subpattern at position 0"],
    ),
    "an empty expression": (
        f'{RIGHT}ready.log = §""\n',
        ["log: write a regular expression that a line of its output matches"],
    ),
    "an empty command": (
        f'{RIGHT}ready.exec = §" "\n',
        ["exec: write a command that exits with 0 once the agent is ready"],
    ),
    "no silence": (f"{RIGHT}ready.idle = §0\n", ["idle: it must be greater than 0"]),
    "no time": (f"{RIGHT}ready = {{ tcp = 1, timeout = §0 }}\n", ["timeout: it must be greater than 0"]),
    "what another agent found": (
        f'{TWO}ready.log = "§${{agents.a.result}}"\n',
        ["log: outputs of agents are not known yet when this file is read"],
    ),
}
REFERENCES = {
    "an unknown variable": (
        '[vars]\nbase = "x"\n[agents.a]\ncommand = "echo §${vars.bsae}"\n',
        ["command: [vars] has no 'bsae'. Did you mean base?"],
    ),
    "an unknown variable of the environment": (
        '[agents.a]\ncommand = "echo §${env.HOEM}"\n',
        ["command: the environment has no 'HOEM'. Did you mean HOME?"],
    ),
    "an unknown agent": ('[agents.a]\ncommand = "echo §${agents.b.result}"\n', ["command: no agent is named 'b'"]),
    "itself": ('[agents.a]\ncommand = "echo §${agents.a.result}"\n', ["command: a refers to itself"]),
    "an output that is not declared": (
        f'{RIGHT}outputs = ["facts"]\n[agents.b]\ncommand = "echo §${{agents.a.fact}}"\n',
        ["command: a declares no output 'fact'. Did you mean facts?"],
    ),
    "no field": (
        f'{RIGHT}[agents.b]\ncommand = "echo §${{agents.a}}"\n',
        [("command: ${agents.a}: write ${agents.a.result}, .output, .exit_code, or an output that it declares")],
    ),
    "never closed": ('[agents.a]\ncommand = "echo §${vars.x"\n', ["command: this ${vars. is never closed"]),
    "several in one text": (
        f'{RIGHT}[agents.b]\ncommand = "echo §${{vars.x}} ${{agents.a.result}} §${{agents.c.result}}"\n',
        ["command: [vars] has no 'x'", "command: no agent is named 'c'"],
    ),
    "in single quotes": (
        f"{RIGHT}[agents.b]\ncommand = \"echo '§${{agents.a.result}}'\"\n",
        ["command: ${agents.a.result}: inside single quotes nothing is expanded: use double quotes"],
    ),
    "behind escapes": (
        f'{RIGHT}[agents.b]\ncommand = "echo \\"\\u00e9\\t\\"; echo §${{vars.x}}"\n',
        ["command: [vars] has no 'x'"],
    ),
    "in a text of several lines": (
        f'{RIGHT}[agents.b]\ncommand = """\necho one \\\n    two\necho §${{vars.x}}\n"""\n',
        ["command: [vars] has no 'x'"],
    ),
    "in a literal text of several lines": (
        f"{RIGHT}[agents.b]\ncommand = '''\necho\n  echo §${{vars.x}}'''\n",
        ["command: [vars] has no 'x'"],
    ),
    "in a word of a command": (
        f'{RIGHT}[agents.b]\ncommand = ["echo", "a", "b§${{vars.x}}"]\n',
        ["command: [vars] has no 'x'"],
    ),
    "in a prompt, where quotes mean nothing": (
        (
            f'{RIGHT}[agents.b]\nprovider = "claude"\n'
            "command = \"it's ${agents.a.result}, it's §${agents.c.result}\"\n"
        ),
        ["command: no agent is named 'c'"],
    ),
    "in the environment": (f'{RIGHT}env = {{ A = "§${{vars.x}}" }}\n', ["A: [vars] has no 'x'"]),
    "in a label": (f'{RIGHT}labels.stage = "§${{vars.x}}"\n', ["stage: [vars] has no 'x'"]),
    "in a folder": (f'{RIGHT}cwd = "§${{vars.x}}/y"\n', ["cwd: [vars] has no 'x'"]),
    "in a duration": (f'{RIGHT}timeout = "§${{vars.x}}s"\n', ["timeout: [vars] has no 'x'"]),
    "of another agent in a duration": (
        f'{TWO}timeout = "§${{agents.a.result}}s"\n',
        ["timeout: outputs of agents are not known yet when this file is read"],
    ),
    "in a rule": (f'{RIGHT}provider = "claude"\nallow = ["Bash(§${{vars.x}})"]\n', ["allow: [vars] has no 'x'"]),
    "in a file's name": (f'{RIGHT}env_file = ["a§${{vars.x}}"]\n', ["env_file: [vars] has no 'x'"]),
    "in a command that says whether it is ready": (
        f"{RIGHT}ready.exec = \"echo '§${{env.HOME}}'\"\n",
        ["exec: ${env.HOME}: inside single quotes nothing is expanded: use double quotes"],
    ),
    "to a result that is not there yet": (
        (
            f'{RIGHT}[agents.b]\ncommand = "echo §${{agents.a.result}}"\n'
            'depends_on = [{ agent = "a", until = "started" }]\n'
        ),
        ["command: a has no result yet: depends_on waits only until it is started"],
    ),
}
ALL = {
    f"{group}: {name}": case
    for group, cases in (
        ("syntax", SYNTAX),
        ("whole", WHOLE),
        ("agent", AGENT),
        ("plan", PLAN),
        ("merge", MERGES),
        ("ready", READY),
        ("reference", REFERENCES),
    )
    for name, case in cases.items()
}


@tabled(("text", "sentences"), ALL.values(), ids=ALL)
def test_a_mistake_is_told_at_its_place(text, sentences):
    written, places = marked(text)

    found = problems(written)

    assert [problem.message for problem in found] == sentences
    assert [(problem.line, problem.column) for problem in found] == places


MANY = """
[§bluprint]
name = "release"

[vars]
base = §["main"]

[agents.build]
comand = "make"

[agents.test]
command = "pytest §${vars.branch} '§${agents.build.result}'"
depends_on = ["build", §"lint", §"build"]
timeout = §"5 minutes"
cwd = §"tests"
provider = "raw"
§model = "opus"

[agents.§publish]
depends_on = ["test"]
when = §"allways"
ready = { tcp = §"http" }
"""


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    written, places = marked(MANY.replace("[agents.build]\ncomand", "[agents.§build]\n§comand"))

    assert [(problem.line, problem.column) for problem in problems(written)] == places


def test_what_was_given_for_no_variable_is_a_mistake():
    given = {"base": "x", "bsae": "y", "used": "z"}

    assert problems('[vars]\nbase = "1"\n[agents.a]\ncommand = "echo ${vars.used}"\n', variables=given) == [
        (1, 1, "--var bsae: the blueprint has no variable of this name. Did you mean base?")
    ]


def test_a_file_whose_name_is_none_has_to_give_one():
    said = "A name can't end in '.' or '.lock': 'x.lock'. Set one: [blueprint] name = \"…\""

    assert problems(RIGHT, name="x.lock") == [(1, 1, said)]
    assert problems(f'[blueprint]\nname = "y"\n{RIGHT}', name="x.lock") == []


def test_bytes_that_are_no_text_are_told_at_their_place():
    with pytest.raises(Problems) as wrong:
        decoded("[vars]\nä = '".encode() + b"\xff'")

    assert wrong.value.problems == ((2, 6, "the file is not UTF-8 from here on"),)
    assert decoded(b"\xef\xbb\xbfa = 1") == "a = 1"


def test_tables_within_tables_have_an_end():
    assert problems(f"x = {'[' * 5000}{']' * 5000}")[0].message == "lists and tables are nested too deeply"
    assert problems(f"a{'.a' * 500} = 1")[0].message.startswith("TOML key nested")


FOREIGN = [
    ("needs = ['a']", "needs", 'depends_on = ["NAME"]'),
    ("if = 'true'", "if", 'when = "success", "failure" or "always"'),
    ("matrix = {}", "matrix", "an [agents.NAME] for each: one table is one agent"),
    ("working-directory = 'x'", "working-directory", 'cwd = "…"'),
    ("working_dir = 'x'", "working_dir", 'cwd = "…"'),
    ("environment = {}", "environment", 'env = { NAME = "…" }'),
    ("continue_on_error = true", "continue_on_error", 'on_failure = "continue" below [blueprint]'),
    ("runs-on = 'x'", "runs-on", 'nothing: it runs here; in a swarm, on = { LABEL = "…" }'),
    ("ports = [1]", "ports", "ready = { tcp = 5432 }: a program takes its ports itself"),
    ("profiles = []", "profiles", "nothing: leave the table out, or put a # before its lines"),
    ("autostart = false", "autostart", "nothing: it starts once all in depends_on has"),
    ("after_script = 'x'", "after_script", 'a separate agent with when = "always"'),
]


@tabled(("line", "key", "ours"), FOREIGN)
def test_a_key_of_another_program_is_told_with_ours(line, key, ours):
    assert problems(f"{RIGHT}{line}\n") == [(3, 1, f"unknown key {key!r}: write {ours}")]


def test_no_key_of_ours_is_called_foreign():
    for ours, foreign in ((keys.AGENT, FOREIGN_AGENT), (keys.WHOLE, FOREIGN_WHOLE), (keys.ROOT, FOREIGN_ROOT)):
        assert not set(ours) & foreign.keys()
        assert all(name == name.lower().replace("-", "_") for name in foreign)


FORMATS = [
    ("Procfile.dev", "web: bin/rails server\njs: yarn build\n", "this is a Procfile, "),
    ("ci.yaml", "[oops\n", "this is YAML, "),
    ("stdin", "# x\n\nversion: '3'\nservices:\n", "this is YAML, "),
    ("stdin", "---\na: 1\n", "this is YAML, "),
    ("plan.json", "", "this is JSON, "),
    ("stdin", '{"agents": {}}', "this is JSON, "),
    ("plan.toml", "[agents.x\n", None),
    ("plan.toml", "a = 1:2\n", None),
    ("plan", "", None),
]


@tabled(("name", "text", "said"), FORMATS)
def test_a_file_of_another_program_is_called_what_it_is(name, text, said):
    found = foreign_format(name, text)
    assert found is None if said is None else found is not None and found.startswith(said)
