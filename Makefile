# Everything a person or a CI runs. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# The distribution's Python, as in our image: pyenv's is compiled without optimisation, tests take 15 to 40 % longer.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo /usr/bin/python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PYTHONPATH := tests
# Five processes import the tests, and hundreds of movers start: compiled anew each time they cost a minute.
unexport PYTHONDONTWRITEBYTECODE
# Tests mostly wait for pods, so there are more processes than cores. `make test WORKERS=0`: one after another.
WORKERS ?= 5
BESIDE := -n $(WORKERS) --dist loadscope --no-loadscope-reorder

help:  ## what can be made here
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# A Debian without the venv module gets it; elsewhere venv's own message says what is missing.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ $$(id -u) = 0 ] && apt-get update -q && apt-get install -y -q python3-venv; }
	@echo "Installing Towpath and its tools into $(VENV) (about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

venv: $(READY)  ## the Python environment, in .venv

generate: $(READY)  ## CRDs and reference pages from the models
	$(BIN)/python -m towpath.api
	$(BIN)/python -m towpath.cli.reference
	$(BIN)/python -m docs.sdk_reference

lint: $(READY)  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(READY) cluster-if-possible browser-if-possible  ## all that this machine can run in minutes; says what it skipped and why
	$(BIN)/python -m slipcover --source sdk,operator --skip-covered -m pytest $(BESIDE) -q

test-quick: $(READY) cluster-if-possible browser-if-possible  ## rings 1 and 2: pure tests, and those against an API server and an object store
	$(BIN)/pytest $(BESIDE) -n 6 -q -m 'not story and not fault' --ignore tests/e2e

test-pure: $(READY)  ## ring 1 only: no cluster, no server
	$(BIN)/pytest $(BESIDE) -q -m 'not server and not story and not fault'

test-long: $(READY) cluster-if-possible  ## what takes more than a minute each
	$(BIN)/pytest -q --run-long -m "long and not alone"
	$(BIN)/pytest -q --run-alone -m alone

bench: $(READY) cluster-if-possible  ## figures beside peers, on this machine
	$(BIN)/python -m bench

scale: $(READY)  ## the operator with many runs, on a simulated cluster of its own; no root
	$(BIN)/python -m scale

chaos: $(READY) cluster-if-possible  ## random runs under 1,000 random faults on the test cluster; takes hours
	$(BIN)/python -m chaos

demo: $(READY)  ## the iris pipeline on this machine, without a cluster: run, changed, run again
	@$(BIN)/python -m demo

demo-cluster: $(READY)  ## a cluster, an installation, and the iris pipeline on it, from nothing
	$(BIN)/python -m demo.on_cluster

include tests/cluster/cluster.mk tests/cluster/image.mk tests/browser/browser.mk

.PHONY: help venv generate lint test test-quick test-pure test-long bench scale chaos demo demo-cluster
