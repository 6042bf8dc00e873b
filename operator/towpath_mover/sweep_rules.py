"""What may go from a namespace's part of a datastore, by name alone: pure, so that laws can be held against it.

Thousands are told by marks (`names.prefix_mark`): two that are alike only make one of them stay.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from towpath.flow import names

# Anything else below these folders was not written by a step: perhaps another's place begins there.
_RUN = re.compile(r".+-[0-9a-f]{8}")
_ATTEMPT = re.compile(r"[0-9]+-.+")


class Rules(NamedTuple):
    """What stays: folders of the `runs`, attempts that are `kept` (marks both), and what is read `in_place`.

    `in_place` are beginnings of keys, with the datastore's own prefix. What was written for one of the `datasets` goes
    with its version; what was written for others stays, unless it never was a version.
    """

    namespace: str
    datasets: frozenset[str] = frozenset()
    runs: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    in_place: tuple[str, ...] = ()

    def is_looked_into(self, folder: str) -> bool:
        """Return whether anything of the run with this folder may go."""
        return _RUN.fullmatch(folder) is not None and names.prefix_mark(folder) not in self.runs

    def may_go(self, attempt: str, own_prefix: str = "") -> bool:
        """Return whether an attempt of such a run may go, by its prefix; `own_prefix` is the datastore's."""
        if not _ATTEMPT.fullmatch(attempt.split("/")[-2]) or names.prefix_mark(attempt) in self.kept:
            return False
        whole = own_prefix + attempt
        return not any(whole.startswith(base) or base.startswith(whole) for base in self.in_place)

    def goes_with_its_version(self, attempt: str) -> bool:
        """Return whether an attempt may go although it may have been a version."""
        _, kind, dataset, *_ = attempt.removeprefix(self.namespace).split("/")
        return kind == "runs" or dataset in self.datasets

    def is_of_nobody(self, key: str) -> bool:
        """Return whether an object that is being written below this key belongs to a run that may be swept."""
        attempt = names.attempt_at(self.namespace, key)
        return attempt is not None and self.is_looked_into(names.run_folder_of(attempt))
