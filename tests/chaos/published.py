"""What a reader of a published output gets, by the mover's own verifying reader and straight from the store."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from cluster.space import Space
from towpath_mover.download import download
from towpath_mover.objects import open_inventory
from towpath_mover.pinned import Source
from towpath_mover.progress import Progress
from towpath_mover.store_s3 import ACCESS_KEY, SECRET_KEY
from towpath_mover.stores import Datastore, Kind, Places, open_store


class Published:
    """The store, without the relay that breaks."""

    def __init__(self, space: Space, folder: Path) -> None:
        self.space = space
        keys = folder / "credentials" / "default"
        keys.mkdir(parents=True)
        (keys / ACCESS_KEY).write_text(space.s3.admin.access_key)
        (keys / SECRET_KEY).write_text(space.s3.admin.secret_key)
        location = {
            "endpoint": space.s3.endpoint,
            "bucket": space.bucket,
            "prefix": space.prefix,
            "region": space.s3.region,
        }
        datastore = Datastore("default", Kind.S3, location, credentials_secret="store")
        self._store = open_store(datastore, Places(credentials=keys.parent))

    def files(self, output: dict[str, Any]) -> dict[str, str]:
        """The files of an output as its step's status names it; a MoverFailure where they are not whole."""
        below = self.space.prefix
        inventory = open_inventory(self._store, below + output["inventory"], output["digest"])
        sources = [Source(self._store, below + root.prefix) for root in inventory.roots]
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "files"
            download(inventory.entries(), sources, target, Progress("check"))
            return {
                str(file.relative_to(target)): file.read_text()
                for file in target.rglob("*")
                if file.is_file()
            }
