# Countersign: every target sets up what it needs. `make help` lists them.
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory

# The first Python of the system that is new enough; `make PYTHON=/path/to/python ...` names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
PY := .venv/bin/python
SITE := .venv=requirements/site.txt
DEV := .venv=requirements/site.txt,requirements/dev.txt
CLIENT := .venv-client=requirements/client.txt
IDP := .venv-idp=requirements/idp.txt
SIGNING := .venv-signing=requirements/signing.txt
SPARK := .venv-spark=requirements/site.txt,requirements/dev.txt,requirements/spark.txt
TESTS ?= tests
PROCESSES ?= 2
CODE := apps clients config tools demo tests manage.py

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: story ## Serve the demo with its story loaded (PORT=8000 VAR=var DETACH=1)
	@exec $(PY) -m tools.serve demo

.PHONY: run
run: site ## Serve an empty site; prints the set-up token of the first administrator (PORT VAR=var/site DETACH=1)
	@exec $(PY) -m tools.serve run

.PHONY: stop
stop: site ## Stop what `make demo` or `make run` started (VAR)
	@$(PY) -m tools.serve stop

.PHONY: web worker beat
web: site ## Serve the pages and the protocol only, in the foreground (VAR=var/site, or DATABASE_URL)
	@exec $(PY) -m tools.serve web
worker: site ## Work off the queue only, in the foreground
	@exec $(PY) -m tools.serve worker
beat: site ## Send what is due only, in the foreground
	@exec $(PY) -m tools.serve beat

.PHONY: test
test: setup ## The whole test suite (TESTS=tests/core PROCESSES=2)
	@$(PY) -m pytest -n $(PROCESSES) --dist loadgroup $(TESTS)

.PHONY: test-spark
test-spark: python ## The checks on DuckDB and Spark through Ibis against the local engine (needs Java)
	@$(PYTHON) -m tools.system tests
	@command -v java >/dev/null || { echo "test-spark needs Java; on Debian install it with: sudo apt-get install default-jre-headless" >&2; exit 1; }
	@$(PYTHON) -m tools.environments $(SPARK)
	@.venv-spark/bin/python -m pytest -o addopts= -p tests.pgplugin --strict-markers -ra --timeout 900 tests/spark

.PHONY: lint
lint: dev ## Style, import contracts, templates, missing migrations
	@$(PY) -m ruff check $(wildcard $(CODE))
	@$(PY) -m ruff format --check $(wildcard $(CODE))
	@$(PY) -m djhtml --check --tabwidth 2 templates
	@$(PY) -W ignore -c 'from importlinter.cli import lint_imports; raise SystemExit(lint_imports())'
	@VAR=var/lint $(PY) -W ignore manage.py makemigrations --check --dry-run

.PHONY: types
types: dev ## mypy --strict
	@VAR=var/lint $(PY) -m mypy $(wildcard apps config tools demo)
	@$(PY) -m mypy --config-file= --strict --python-version 3.10 clients/countersign/src

.PHONY: fmt
fmt: dev ## Rewrite code and templates in the house format
	@$(PY) -m ruff check --fix-only --quiet $(wildcard $(CODE))
	@$(PY) -m ruff format $(wildcard $(CODE))
	@$(PY) -m djhtml --tabwidth 2 templates

.PHONY: shots
shots: setup ## Pictures of every page, two themes and two widths, in shots/
	@$(PY) -m tools.shots

.PHONY: verify
verify: site ## Recompute the ledger of VAR and compare it with the state
	@$(PY) manage.py verify_ledger

.PHONY: lock
lock: python ## Pin requirements/*.in anew, with hashes and without naming an index
	@$(PYTHON) -m tools.lock

.PHONY: setup site story dev python
setup: python ## Everything for development and tests, without starting anything
	@$(PYTHON) -m tools.system tests
	@$(PYTHON) -m tools.environments $(DEV) $(CLIENT) $(IDP) $(SIGNING)
site: python
	@$(PYTHON) -m tools.system site
	@$(PYTHON) -m tools.environments $(SITE)
story: python
	@$(PYTHON) -m tools.system site
	@$(PYTHON) -m tools.environments $(SITE) $(CLIENT)
dev: python
	@$(PYTHON) -m tools.system site
	@$(PYTHON) -m tools.environments $(DEV)
python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Countersign needs Python 3.11 or newer; on Debian install it with: sudo apt-get install python3 python3-venv" >&2; exit 1; }
