"""`python -m towpath.local FOLDER`: the process that reconciles the local workspace whose `.towpath` this is."""

import sys
from pathlib import Path

from towpath.local.places import LocalPlaces
from towpath.local.process import run

if __name__ == "__main__":
    sys.exit(run(LocalPlaces(Path(sys.argv[1]))))
