"""Where a verb works, as its options say, and the Backend of that place: opened when the verb first needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import click

from towpath.backend import Backend
from towpath.cli.connect import Where, connect

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass
class Session:
    """One call of the command line."""

    open: Callable[[Where], Backend] = connect
    where: Where = field(default_factory=Where)
    _backend: Backend | None = None

    @property
    def backend(self) -> Backend:
        """The namespace or folder that the options name."""
        if self._backend is None:
            self._backend = self.open(self.where)
        return self._backend


def session_of(ctx: click.Context) -> Session:
    """The session of this call; a test gives its own."""
    root = ctx.find_root()
    if not isinstance(root.obj, Session):
        root.obj = Session()
    return root.obj


def in_workspace(verb: Verb) -> Verb:
    """Give a verb the options that say where it works, and the session as its first argument."""

    def with_session(*args: Any, **kwargs: Any) -> Any:
        return verb(session_of(click.get_current_context()), *args, **kwargs)

    decorated: Any = update_wrapper(with_session, verb)
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ARG001
        if value is not None:
            session = session_of(ctx)
            session.where = replace(session.where, **{name: value})

    return remember


def _option(*names: str, name: str, **attributes: Any) -> Callable[[Any], Any]:
    return click.option(*names, expose_value=False, callback=_remember(name), **attributes)


_OPTIONS = (
    _option(
        "-n",
        "--namespace",
        name="namespace",
        metavar="NAME",
        help="Namespace; the kubeconfig's own if omitted.",
    ),
    _option(
        "--context", name="context", metavar="NAME", help="Context of the kubeconfig; the current if omitted."
    ),
    _option(
        "--kubeconfig",
        name="kubeconfig",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Kubeconfig; $KUBECONFIG or ~/.kube/config if omitted.",
    ),
    _option(
        "--local",
        name="folder",
        is_flag=True,
        flag_value=Path(),
        type=click.Path(path_type=Path),
        help="Without a cluster: the workspace of the current folder.",
    ),
    _option(
        "--folder",
        name="folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="Without a cluster: the workspace of this folder.",
    ),
)
