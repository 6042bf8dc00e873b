# The test cluster. Included by the Makefile; any Python from 3.11 on will do, with or without our packages.
CLUSTER := PYTHONPATH=tests $(if $(wildcard .venv/bin/python),.venv/bin/python,python3) -m cluster

.PHONY: cluster cluster-down cluster-status
cluster:  ## Start a real one-node Kubernetes with S3 (or find it running); needs root
	@$(CLUSTER) up

cluster-down:  ## Remove the test cluster: no process, mount, link or cgroup stays
	@$(CLUSTER) down

cluster-status:  ## Say what of the test cluster runs
	@$(CLUSTER) status
