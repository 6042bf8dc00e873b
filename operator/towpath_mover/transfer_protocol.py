"""What a laptop and `serve` agree on: one port of the pod's loopback, HTTP/1.1, and blocks that each say their digest.

Every request carries `Authorization: Bearer TOKEN`; the pod's spec holds the token's SHA-256 only. Paths are percent-
encoded in the query and lie below the datastore's prefix. docs/reference/transfers.md documents the requests.
"""

from __future__ import annotations

from hashlib import sha256

PORT = 8474
# Held whole at both ends, so that it is verified before it is written or given out.
BLOCK = 8 << 20
SHA256_HEADER = "X-Towpath-Sha256"

HELLO = "/v1/hello"
FILES = "/v1/files"
OBJECT = "/v1/object"
BLOCKS = "/v1/block"
PARTS = "/v1/parts"
JOIN = "/v1/join"
DIGEST = "/v1/digest"


def digest_of(content: bytes | memoryview) -> str:
    """The SHA-256 of a block, or of a token, in hex."""
    return sha256(content).hexdigest()
