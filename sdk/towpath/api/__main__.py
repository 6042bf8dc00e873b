"""`python -m towpath.api`: writes CRDs, the chart's copies and the reference pages from the models."""

import sys

from towpath.api.generate import main

sys.exit(main(sys.argv[1:]))
