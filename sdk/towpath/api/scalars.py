"""The strings and numbers of the API, each with its bounds: names, paths, digests, quantities, references."""

from typing import Annotated

from pydantic import Field

from towpath.api.markers import IntOrString, Rule, checked_by

# A reference stands for the whole value: `$(params.share)`.
REFERENCE = r"\$\(params\.[A-Za-z_][A-Za-z0-9_]*\)"
# One part of a path: anything without a slash that is neither `.` nor `..`.
SEGMENT = r"([^/.\x00-\x1f][^/\x00-\x1f]*|\.[^/.\x00-\x1f][^/\x00-\x1f]*|\.\.[^/\x00-\x1f]+)"

ObjectName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
    ),
]
StepName = Annotated[str, Field(max_length=63, pattern=r"^[a-z]([a-z0-9_-]*[a-z0-9])?$")]
PortName = Annotated[str, Field(max_length=63, pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ParamName = Annotated[str, Field(max_length=63, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

# A dataset as its user names it (both `training_data` and `training-data` find it), perhaps with `@VERSION`,
# perhaps out of parameters.
DatasetName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(@[1-9][0-9]*)?|[^/\s]*\$\(.+\)[^/\s]*)$",
    ),
]
NewDatasetName = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
]
VersionNumber = Annotated[int, Field(ge=1, le=2_147_483_647)]

Digest = Annotated[str, Field(max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")]
StorePath = Annotated[str, Field(min_length=1, max_length=1024, pattern=rf"^{SEGMENT}(/{SEGMENT})*/?$")]
MountPath = Annotated[str, Field(max_length=512, pattern=rf"^(/{SEGMENT})+$")]
FilePath = Annotated[str, Field(min_length=1, max_length=4096)]
Glob = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^/\x00-\x1f][^\x00-\x1f]*$")]

KeyPrefix = Annotated[
    str,
    Field(max_length=512),
    checked_by(
        Rule(
            "!self.startsWith('/') && !self.contains('//') && !self.matches('(^|/)[.][.]?(/|$)')",
            "prefix is a relative path such as team-a/data/: remove a leading slash, empty parts, and parts "
            "that are . or ..",
        )
    ),
]
SubPath = Annotated[
    str,
    Field(max_length=512),
    checked_by(
        Rule(
            "!self.startsWith('/') && !self.matches('(^|/)[.][.](/|$)')",
            "subPath is a relative path inside the volume: remove a leading slash and parts that are ..",
        )
    ),
]
Endpoint = Annotated[
    str,
    Field(max_length=1024),
    checked_by(
        Rule(
            "self.matches('^https?://[]A-Za-z0-9.:_[-]+(/[^?#@[:space:]]*)?$')",
            "endpoint is a URL such as https://minio.data:9000, without user name, password or query: put "
            "credentials into a Secret and name it in credentialsSecretRef",
        )
    ),
]
Url = Annotated[str, Field(max_length=2048, pattern=r"^https?://[^/?#@\s]+([/?][^\s#]*)?(#[^\s]*)?$")]

Text = Annotated[str, Field(max_length=4096)]
Tags = Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=64)]
Seconds = Annotated[int, Field(ge=1, le=315_360_000)]
# The largest integer that every JSON reader keeps exact.
Count = Annotated[int, Field(ge=0, le=9_007_199_254_740_991)]
FileMode = Annotated[int, Field(ge=0, le=511)]

_QUANTITY = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$"
Quantity = Annotated[int | str, IntOrString(pattern=_QUANTITY, minimum=0, max_length=32)]
Percent = Annotated[
    int | str, IntOrString(rf"^([0-9]{{1,3}}(\.[0-9]{{1,9}})?|{REFERENCE})$", minimum=0, maximum=100)
]
Seed = Annotated[int | str, IntOrString(rf"^(-?[0-9]{{1,19}}|{REFERENCE})$")]
Number = Annotated[int | str, IntOrString(rf"^([0-9]{{1,18}}|{REFERENCE})$", minimum=0)]
PositiveNumber = Annotated[int | str, IntOrString(rf"^([1-9][0-9]{{0,17}}|{REFERENCE})$", minimum=1)]
VersionOrReference = Annotated[
    int | str, IntOrString(rf"^([1-9][0-9]{{0,9}}|{REFERENCE})$", minimum=1, maximum=2_147_483_647)
]
