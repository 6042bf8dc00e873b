# The test cluster. Included by the Makefile; any Python from 3.11 on will do, with or without our packages.
CLUSTER := PYTHONPATH=tests $(if $(wildcard .venv/bin/python),.venv/bin/python,python3) -m cluster

.PHONY: cluster cluster-if-possible cluster-down cluster-status
cluster:  ## Start a real one-node Kubernetes with S3 (or find it running); needs root
	@$(CLUSTER) up

# Before tests: so that a long first build shows its progress, and no test's time limit counts it.
cluster-if-possible:
	@$(CLUSTER) up --if-possible > /dev/null

cluster-down:  ## Remove the test cluster: no process, mount, link or cgroup stays
	@$(CLUSTER) down

cluster-status:  ## Say what of the test cluster runs
	@$(CLUSTER) status
