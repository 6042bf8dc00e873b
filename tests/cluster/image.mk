# Towpath's own image. Included by the Makefile after cluster.mk, which says what PYTHON is.
.PHONY: image load
image: ## Build our image with buildah, if anything that it is made of changed
	@PYTHONPATH=tests $(PYTHON) -m cluster.towpath_image build

load: ## Build our image and bring it to the test cluster
	@PYTHONPATH=tests $(PYTHON) -m cluster.towpath_image load
