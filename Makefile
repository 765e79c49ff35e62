# `make` lists what there is. Everything goes through `env`, which makes .venv from requirements.lock (hashes checked)
# and makes it again only when the lock has changed.

PYTHON ?= python3
ARGS ?=
TAG ?=
UPGRADE ?=
MINUTES ?= 10

VENV := .venv
BIN := $(VENV)/bin
CODE := src tests notebooks .ci $(wildcard benchmarks)

# The stamps are written last, so an installation that was killed half-way is done again. A moved folder is a new
# environment too: its scripts hold absolute paths.
LOCKED := $(VENV)/.locked-$(shell (cat requirements.lock; pwd) | cksum | cut -d' ' -f1)
INSTALLED := $(VENV)/.installed-$(shell cat pyproject.toml | cksum | cut -d' ' -f1)

RIVAL := $(VENV)/rival/bin/CurveCurator

# Two processes whose libraries take both cores each are many times slower than two with one.
ONE_CORE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# Neither the user's own packages nor an active environment may leak in.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_PYTHON_DOWNLOADS := never
# As pip does: trust what the system trusts. The second name is that of older uv.
export UV_SYSTEM_CERTS ?= 1
export UV_NATIVE_TLS ?= 1

.DEFAULT_GOAL := help
.PHONY: help env book test messages lint fuzz oldest release-check bench worlds worlds-notebooks kills lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

env: ## make or renew .venv from requirements.lock
	@if $(BIN)/python -c '' 2>/dev/null && [ -e $(LOCKED) ]; then :; else \
		set -e; \
		command -v $(PYTHON) >/dev/null || { echo "make: no $(PYTHON) found; name one: make env PYTHON=python3.12" >&2; exit 1; }; \
		$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
			echo "make: Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is $$($(PYTHON) -c 'import platform; print(platform.python_version())'); name another: make env PYTHON=python3.12" >&2; exit 1; }; \
		echo "making $(VENV) from requirements.lock"; \
		rm -rf $(VENV); \
		if uv --version >/dev/null 2>&1; then \
			uv venv -q --no-project --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV); \
			uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock; \
		else \
			$(PYTHON) -m venv $(VENV); \
			$(BIN)/python -m pip install -q --require-hashes -r requirements.lock; \
		fi; \
		touch $(LOCKED); \
	fi
	@if [ ! -e $(INSTALLED) ]; then \
		set -e; \
		rm -f $(VENV)/.installed-*; \
		if uv --version >/dev/null 2>&1; then \
			uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .; \
		else \
			$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .; \
		fi; \
		touch $(INSTALLED); \
	fi

book: env ## run the notebooks and build the site, e.g. make book ARGS="-p source=DIR"
	@$(BIN)/rxrx19 book $(ARGS)

# Measured in a full run only: a part of the tests says nothing about how much all of them reach.
COVERAGE := $(if $(strip $(ARGS)),,--cov --cov-report=)

# loadfile: the tests of one file share its fixtures, above all the one built book, in one process.
test: lint ## lint, run the tests, build the book from the tiny twin; two minutes: make test ARGS="-m 'not slow'"
	@$(ONE_CORE) $(BIN)/python -m pytest -n 2 --dist loadfile $(COVERAGE) $(ARGS)

messages: env ## write the book's page on broken input anew from the tests
	@$(BIN)/python tests/hostile.py

lint: env ## check style, format and types
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy

fuzz: env ## hostile inputs, new ones all the time, e.g. make fuzz MINUTES=30 (default 10)
	@end=$$(($$(date +%s) + 60 * $(MINUTES))); while [ $$(date +%s) -lt $$end ]; do \
		HYPOTHESIS_PROFILE=fuzz $(ONE_CORE) $(BIN)/python -m pytest -m fuzz -p no:cacheprovider -x $(ARGS) || exit 1; done

oldest: ## run the fast tests with the oldest versions that pyproject.toml allows, in .venv-oldest (needs uv)
	@bash .ci/oldest "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(ARGS)

release-check: env ## check and build what a tag would publish, e.g. make release-check TAG=v0.1.0
	@$(BIN)/python .ci/release.py "$$TAG"

bench: env $(RIVAL) ## measure run times and memory beside other software, e.g. make bench ARGS="--scale 0.1"
	@$(BIN)/python benchmarks/tables.py $(ARGS)
	@$(BIN)/python benchmarks/profiles.py $(ARGS)
	@$(ONE_CORE) $(BIN)/python benchmarks/dose.py --curvecurator $(RIVAL) $(ARGS)

worlds: env ## count again where calls and curves hold, ten seeds of every world (a quarter of an hour); the book cites the result
	@$(ONE_CORE) $(BIN)/python benchmarks/worlds.py $(ARGS)

worlds-notebooks: env ## the long tests: every notebook on every world and on screens with hardly any controls, studies of more seeds (half an hour)
	@$(ONE_CORE) $(BIN)/python -m pytest -n 2 -m long $(ARGS)

kills: env ## kill commands at random moments and compare what the next call leaves (half an hour), e.g. make kills ARGS="--commands make"
	@$(ONE_CORE) $(BIN)/python benchmarks/kills.py $(ARGS)

# In an environment of its own: it asks for older packages than ours.
$(RIVAL): | env
	@echo "making $(VENV)/rival with CurveCurator"
	@$(BIN)/python -m venv $(VENV)/rival
	@$(VENV)/rival/bin/python -m pip install -q curve-curator==0.6.0

# Versions that are locked stay unless asked otherwise: what is new in pyproject.toml is added, nothing else moves.
lock: ## add to requirements.lock what is new; newer versions of all: make lock UPGRADE=1 (needs uv)
	@uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
		--extra docs --extra dev $(if $(UPGRADE),--upgrade) --custom-compile-command "make lock" \
		pyproject.toml -o requirements.lock

clean: ## remove what was built; the environments and results/ stay
	@rm -rf _build build dist .pytest_cache .ruff_cache .mypy_cache
	@find src tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
