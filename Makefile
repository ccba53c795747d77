# Everything a person or CI does with this repository. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup run demo-isolation demo-engine demo-swarm test test-process test-all test-long torture test-agents test-claude test-docker test-pools test-postgres test-web nightly unsteady coverage lint types imports house check bench snapshots screenshots docs format lock clean

BIN := .venv/bin
CORES := $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
# Tests of processes wait more than they compute, those of PostgreSQL most; a worker more costs some 6 s of processor time.
ONE_MORE := $(shell expr $(CORES) + 1)
THREEFOLD := $(shell expr $(CORES) \* 3)
FOURFOLD := $(shell expr $(CORES) \* 4)
PYTEST = $(BIN)/python -m pytest --dist worksteal -n
WORKERS ?=
ARGS ?=
TESTS ?=
# Where a test stands says when it runs: docs/contributing.md has the table, tests/house/test_tiers.py holds it.
QUICK := tests --ignore=tests/process --ignore=tests/engines
PROCESS := tests/process --ignore=tests/process/long
engine = $(or $(TESTS),tests/engines/$(1) --ignore=tests/engines/$(1)/long)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: .venv/.installed ## make the private virtual environment .venv with all that development needs (by uv when present, else pip)

.venv/.runs: pyproject.toml requirements-run.lock
	@scripts/setup run

.venv/.installed: .venv/.runs requirements.lock
	@scripts/setup all

run: .venv/.runs ## open the program, with only what it needs; without a terminal run a small real job headless
	@OVERMIND=$(BIN)/overmind scripts/first-run

demo-isolation: setup ## agents that work on one project at once, each with its own server and database; leaves nothing
	@PYTHON=$(BIN)/python scripts/demo-isolation $(ARGS)

demo-engine: setup ## a spec from its brief to merged work in a home of its own, with a daemon that is killed; leaves nothing
	@PYTHON=$(BIN)/python scripts/demo-engine

demo-swarm: setup ## five homes that share work through a PostgreSQL; one is killed, the database stands still; leaves nothing
	@PYTHON=$(BIN)/python scripts/demo-swarm

test: setup ## run the quick tests and the walk through all doors (ARGS="-k name" or TESTS=path for a part, as with each)
	OVERMIND_TEST_TARGET=test $(PYTEST) $(or $(WORKERS),$(ONE_MORE)) $(or $(TESTS),$(QUICK)) $(ARGS)

test-process: setup ## run the tests that start real programs
	OVERMIND_TEST_TARGET=test-process $(PYTEST) $(or $(WORKERS),$(THREEFOLD)) $(or $(TESTS),$(PROCESS)) $(ARGS)

test-all: ## test, then test-process
	$(MAKE) test
	$(MAKE) test-process

test-long: setup ## run the tests of processes that take long by themselves: kills in rounds, real minutes
	$(PYTEST) $(or $(WORKERS),$(THREEFOLD)) $(or $(TESTS),tests/process/long) $(ARGS)

torture: setup ## run what kills, floods and races for minutes, with all its rounds and examples
	OVERMIND_TEST_TORTURE=1 $(PYTEST) $(or $(WORKERS),$(THREEFOLD)) $(or $(TESTS),$(shell grep -rlwE "import .*(torture|given)" tests --include="test_*.py" --exclude-dir=engines)) $(ARGS)

test-agents: setup ## run the tests of codex, copilot, gemini, opencode, qwen, and of cline, pi and claude on their screens: the real ones, which npm fetches once, against a stub of their models
	@programs=$$(scripts/install-agents) && claude=$$(scripts/install-claude) && \
		OVERMIND_TEST_AGENTS=$$programs OVERMIND_CLAUDE_BIN=$$claude \
		$(PYTEST) $(or $(WORKERS),$(CORES)) $(call engine,agents) $(ARGS)

test-claude: setup ## run the tests of claude: a stand-in, and the real one, which npm fetches once, against a stub of its API
	@program=$$(scripts/install-claude) && OVERMIND_TEST_CLAUDE=1 OVERMIND_CLAUDE_BIN=$$program \
		$(PYTEST) $(or $(WORKERS),$(ONE_MORE)) $(call engine,claude) $(ARGS)

test-docker: setup ## run the tests that need a real engine of Docker; one is started, and ended, when none answers
	@PYTHON=$(BIN)/python WORKERS=$(or $(WORKERS),$(THREEFOLD)) TESTS="$(call engine,docker)" scripts/test-docker $(ARGS)

test-postgres: setup ## run the tests that need a real PostgreSQL; one is started for them, and ended
	@PYTHON=$(BIN)/python WORKERS=$(or $(WORKERS),$(FOURFOLD)) TESTS="$(call engine,postgres)" scripts/test-postgres $(ARGS)

test-pools: setup ## run the tests that need real engines of pools: Slurm and Ray are installed where they may be
	@PYTHON=$(BIN)/python WORKERS=$(or $(WORKERS),$(ONE_MORE)) TESTS="$(call engine,pools)" scripts/test-pools $(ARGS)

test-web: setup ## run the tests of the web dashboard in Chromium, which is installed where it may be
	@PYTHON=$(BIN)/python WORKERS=$(or $(WORKERS),$(CORES)) TESTS="$(call engine,web)" scripts/test-web $(ARGS)

nightly: setup ## run all of it with all rounds and examples, the long tests and each engine's; hours
	@python3 -m scripts.landing night

unsteady: setup ## run each test of .ci/unsteady 20 times, and say what is wrong with the list
	$(BIN)/python -m scripts.landing.unsteady repeat
	$(BIN)/python -m scripts.landing.unsteady judge

coverage: setup ## run the suite and report the branches that it missed, daemons included
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(or $(WORKERS),$(THREEFOLD)) --dist worksteal $(or $(TESTS),tests --ignore=tests/engines) $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: setup ## ruff: rules and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup ## mypy --strict
	$(BIN)/mypy

imports: setup ## import-linter: who may import whom
	$(BIN)/lint-imports

house: setup ## the shape of the source in figures: circles, floors, sizes
	@$(BIN)/python -m scripts.house

check: lint types imports ## lint, types and imports

bench: setup ## measure beside tmux and write the table (minutes)
	$(BIN)/python -m bench $(ARGS)

snapshots: setup ## accept how the full-screen program looks now; look at the pictures before you commit them
	$(BIN)/python -m pytest tests/tui/test_pictures*.py --snapshot-update

screenshots: setup ## draw screenshots/*.png of the program at work (needs Chromium); look at them too
	@PYTHON=$(BIN)/python scripts/screenshots $(ARGS)

docs: setup ## write docs/commands.md, docs/overmind.1, docs/events.md, docs/keys.md, docs/api.md and its JSON schema from the program's own tables
	@PYTHON=$(BIN)/python scripts/generate-docs

format: setup ## let ruff rewrite what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --upgrade --quiet \
	--custom-compile-command "make lock"

lock: ## resolve both locks for all supported Pythons: requirements-run.lock is a part of requirements.lock (needs uv)
	$(LOCK) --extra dev --output-file requirements.lock
	printf 'editables\nhatchling\n' | $(LOCK) --constraint requirements.lock - --output-file requirements-run.lock

clean: ## remove what the other targets made
	rm -rf .venv build dist htmlcov .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
