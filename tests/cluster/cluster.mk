# The test cluster. Included by the Makefile; PYTHON may be any Python from 3.11 on.
PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)

.PHONY: cluster cluster-down cluster-status
cluster: ## Start a real one-node Kubernetes with S3 (or find it running); needs root
	@PYTHONPATH=tests $(PYTHON) -m cluster up

cluster-down: ## Remove the test cluster: no process, mount, link or cgroup stays
	@PYTHONPATH=tests $(PYTHON) -m cluster down

cluster-status: ## Say what of the test cluster runs
	@PYTHONPATH=tests $(PYTHON) -m cluster status
