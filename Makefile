# The house commands. `make app` serves the pages, `make test` checks everything; both build .venv when it is missing or
# when pyproject.toml or constraints.txt changed. All paths are relative, so the folder's own path may hold spaces.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help app test lint coverage mutants clean
.DELETE_ON_ERROR:

PORT ?= 8501
# Processes that run tests; a file's tests stay together, so that they share what they fit.
JOBS ?= auto
VPY := .venv/bin/python
PIP := $(VPY) -m pip --disable-pip-version-check

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

app: .venv/.app ## serve the pages on http://localhost:8501 (another port: make app PORT=8502)
	@.venv/bin/xattn doctor --warm
	@exec .venv/bin/xattn app --port "$(PORT)"

test: lint ## lint, then run every test (some only: make test ARGS="tests/test_i18n.py -k zh")
	@$(VPY) -m pytest --numprocesses=$(JOBS) --dist=loadfile $(ARGS)

lint: .venv/.dev ## style, format and types
	@$(VPY) -m ruff check .
	@$(VPY) -m ruff format --check .
	@$(VPY) -m mypy

# In plain Python every line and branch of the kernels runs where it can be seen; what writes machine code (lanes.py and
# those who use it) runs when it is compiled, so some tests run again with the JIT and an empty cache.
WRITERS := vectors compile target pool softmax fields topk
coverage: .venv/.dev ## the kernels in plain Python, and how much of their code the tests run: all of it (minutes)
	@rm -rf .venv/.coverage
	@NUMBA_DISABLE_JIT=1 $(VPY) -m coverage run -m pytest --quiet -W ignore::RuntimeWarning tests/kernels
	@cache=$$(mktemp -d); trap 'rm -rf "$$cache"' EXIT; \
	NUMBA_CACHE_DIR="$$cache" $(VPY) -m coverage run -m pytest --quiet $(WRITERS:%=tests/kernels/test_%.py)
	@$(VPY) -m coverage combine --quiet
	@$(VPY) -m coverage report

SAMPLE ?= 300
mutants: .venv/.dev ## plant sampled faults in explain, recommenders, data and fits: how many do the tests see? (hours)
	@[ -d build/mutants ] || $(VPY) -m benchmarks.mutants map
	@$(VPY) -m benchmarks.mutants run --sample $(SAMPLE)
	@$(VPY) -m benchmarks.mutants report --sample $(SAMPLE)

clean: ## remove what builds and tests left; the .venv stays
	@rm -rf build dist htmlcov .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	@find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the virtual environment ------------------------------------------------------------------------------------------
# A stamp file is written last, so an install that broke off is done again.

.venv/.app: pyproject.toml constraints.txt | $(VPY)
	@echo "Installing xattn into .venv (a few minutes the first time) ..."
	@$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | $(VPY)
	@echo "Installing xattn with its test tools into .venv (a few minutes the first time) ..."
	@$(PIP) install --quiet 'pip>=25.1' # the first with --group
	@$(PIP) install --quiet -c constraints.txt -e '.[dask,export,pictures,postgres,sounds,video]' --group dev
	@touch .venv/.app $@

# `python3` if it is new enough, else a newer one beside it; PYTHON=... names one.
$(VPY):
	@set -- python3 python3.13 python3.12 python3.11; [ -z "$(PYTHON)" ] || set -- "$(PYTHON)"; found=; \
	for python; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "xattn needs Python 3.11 or newer; found $$("$$1" -V 2>/dev/null || echo none)." \
	    "Name one: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	if ! "$$found" -m venv --clear .venv; then \
	  rm -rf .venv; \
	  echo "This Python cannot make a virtual environment; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; \
	fi
