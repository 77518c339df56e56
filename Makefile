# Two commands matter: `make demo` and `make test`. Both install what they need first (`make setup`).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# uv from the path, else in a private environment of ours: never into the system's Python (PEP 668).
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
RUN := .venv/bin

.PHONY: help setup sync tools demo test quick lint mutate docs bench clean

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.uv/bin/uv:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 2; }
	@python3 -m venv .uv >/dev/null 2>&1 || { rm -rf .uv; \
	  [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null \
	    && python3 -m venv .uv; } || { rm -rf .uv; \
	  echo "python3 cannot make environments here. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 2; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

sync: $(if $(shell command -v uv 2>/dev/null),,.uv/bin/uv)
	@$(UV) sync --locked --quiet

setup: sync ## install everything the lock file names, and the tools the tests use
	@bash .ci/tools

demo: sync ## the whole gateway on invented data, with pages to look at
	@$(RUN)/hotich demo

lint: sync ## style, types, import order
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports --no-cache

test: setup lint ## every check and every test
	$(RUN)/pytest -n auto --dist loadfile --no-loadscope-reorder

quick: sync ## unit tests and laws with few examples, on SQLite only, under a minute
	HYPOTHESIS_PROFILE=quick $(RUN)/pytest -n auto -m "not slow" -k "not postgresql" tests/unit tests/laws

mutate: sync ## break every mapping row in turn: a sample must notice
	$(RUN)/hotich check --mutate sample_messages

docs: sync ## write the pages of docs/ that are made from the code
	$(RUN)/python -m tests.docs.made_pages

bench: sync ## ratios against baselines taken in the same run
	@for file in benchmarks/*.py; do echo "== $$file"; $(RUN)/python $$file; done

clean: ## remove what can be made again
	rm -rf .venv .uv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
