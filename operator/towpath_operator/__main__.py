"""`python -m towpath_operator`: settings from the environment, JSON logs, one process."""

from __future__ import annotations

import asyncio
import os
import sys

from towpath_operator.logs import set_up_logs
from towpath_operator.process import run_process
from towpath_operator.settings import SettingsError, read_settings


def main() -> int:
    """Run the operator; the exit code tells the kubelet how it ended."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    set_up_logs(settings.log_level)
    return asyncio.run(run_process(settings))


if __name__ == "__main__":
    sys.exit(main())
