# Yima (一码). `make run` is all a fresh clone needs; `make help` lists the rest.

.DEFAULT_GOAL := help
SHELL := /bin/sh
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

# A stamp carries the digest of what it stands for, and is written last: an interrupted or outdated install is
# repeated, a finished one costs nothing.
digest = $(shell sha256sum $(1) | cut -c 1-16)
RUN_STAMP := .venv/.installed-run-$(call digest,requirements.lock)
DEV_STAMP := .venv/.installed-dev-$(call digest,requirements-dev.lock)
SERVERS_STAMP := .servers/.ready-$(call digest,tests/support/debian_servers.py)
# A process for each core, each with a PostgreSQL of its own; a file's tests stay together.
SIDE_BY_SIDE := .venv/bin/pytest -n logical --maxprocesses 4 --dist loadfile

.PHONY: help install install-dev servers run test test-fast lint types imports contract check-migrations bench lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' Makefile

install: $(RUN_STAMP) ## .venv with what running needs
install-dev: $(DEV_STAMP) ## .venv with what tests and checks need on top
servers: $(SERVERS_STAMP) ## Kannel and Redis for the tests (in .servers unless the system has them)

run: $(RUN_STAMP) ## start Yima with demo data (PostgreSQL included)
	@.venv/bin/yima serve --demo

test: $(DEV_STAMP) $(SERVERS_STAMP) ## every test: side by side, then one by one what kills or measures
	@status=0; \
	$(SIDE_BY_SIDE) -m "not slow" || status=$$?; \
	.venv/bin/pytest -m slow || status=$$?; \
	exit $$status

test-fast: $(DEV_STAMP) ## the unit tests only
	$(SIDE_BY_SIDE) tests/unit

lint: $(DEV_STAMP) ## ruff (rules and format) and codespell
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/codespell

types: $(DEV_STAMP) ## pyright, strict
	.venv/bin/pyright

imports: $(DEV_STAMP) ## who may import whom
	.venv/bin/lint-imports

contract: $(DEV_STAMP) ## mobile_contract/ is what the code says
	.venv/bin/yima contract --check

check-migrations: $(DEV_STAMP) ## the migrations make the tables that the code describes
	.venv/bin/yima migrate --check

bench: $(DEV_STAMP) ## the benchmarks, as JSON
	.venv/bin/python -m benchmarks

# Only maintainers need uv (https://docs.astral.sh/uv). The locks hold names, versions and hashes, no addresses.
COMPILE := uv pip compile --quiet --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml
lock: ## write requirements.lock and requirements-dev.lock anew (needs uv)
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra dev --constraints requirements.lock --output-file requirements-dev.lock

clean: ## remove .venv, .servers and caches; var/ (database and keys) stays
	rm -rf .venv .servers build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find api domain codes notifications migrations benchmarks tests -name __pycache__ -prune -exec rm -rf {} +

# ---- the virtual environment

# Debian ships Python without ensurepip; a venv without pip will do, the system's pip then fills it from outside.
.venv/bin/python:
	@for candidate in python3.11 python3; do \
	    $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python=$$candidate && break; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Yima needs Python 3.11 or newer. On Debian: apt install python3 python3-venv" >&2; exit 1; \
	fi; \
	echo "making .venv with $$($$python --version)"; \
	rm -rf .venv; \
	$$python -m venv .venv >/dev/null 2>&1 || { rm -rf .venv; $$python -m venv --without-pip .venv; }

# $(call fill,LOCK): install exactly what LOCK pins, checked against its hashes.
define fill
	@if .venv/bin/python -m pip --version >/dev/null 2>&1; then pip=".venv/bin/python -m pip"; \
	else for candidate in python3.11 python3 /usr/bin/python3; do \
	    $$candidate -m pip --version >/dev/null 2>&1 && pip="$$candidate -m pip --python .venv/bin/python" && break; \
	done; fi; \
	if [ -z "$$pip" ]; then \
	    rm -rf .venv; \
	    echo "This Python has no pip. On Debian: apt install python3-venv (then run make again)" >&2; exit 1; \
	fi; \
	echo "installing $(1) into .venv (once; a minute or two)"; \
	$$pip install --quiet --require-hashes --requirement $(1)
endef

# `yima` runs this very checkout: a path file and a small launcher need no build step, hence no build tools. The
# launcher's second line lets sh find the Python beside it, however long or oddly written the path is.
PATH_FILE := import os, sysconfig; print(os.path.join(sysconfig.get_path("purelib"), "yima-checkout.pth"))
define launch
	@pwd > "$$(.venv/bin/python -c '$(PATH_FILE)')"
	@rm -f .venv/bin/yima
	@printf '%s\n' '#!/bin/sh' "'''exec' \"\$$(dirname -- \"\$$0\")/python\" \"\$$0\" \"\$$@\"" "' '''" \
	    'import sys' 'from api.cli import main' 'sys.exit(main())' > .venv/bin/yima
	@chmod 755 .venv/bin/yima
endef

$(RUN_STAMP): .venv/bin/python
	$(call fill,requirements.lock)
	$(launch)
	@rm -f .venv/.installed-run-*
	@touch $@

$(DEV_STAMP): .venv/bin/python
	$(call fill,requirements-dev.lock)
	$(launch)
	@rm -f .venv/.installed-*
	@touch $(RUN_STAMP) $@

$(SERVERS_STAMP): | .venv/bin/python
	@.venv/bin/python -m tests.support.debian_servers
	@rm -f .servers/.ready-*
	@touch $@
