"""`python -m towpath.local FOLDER [LOCK]`: the process that reconciles the workspace whose `.towpath` this is.

LOCK is the open file that holds the workspace's lock, of whoever started it.
"""

import sys
from pathlib import Path

from towpath.local.places import LocalPlaces
from towpath.local.process import run
from towpath.local.waking import OperatorLock, take_lock

if __name__ == "__main__":
    places = LocalPlaces(Path(sys.argv[1]))
    lock = OperatorLock(places, int(sys.argv[2])) if len(sys.argv) > 2 else take_lock(places)
    if lock is not None:
        run(places, lock)
