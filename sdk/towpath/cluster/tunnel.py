"""A port-forward as a socket: bytes to and from one port of a pod's loopback, inside a WebSocket to the API server.

The official client offers one too, with a thread and a copy more for each byte. Of the protocol (v4.channel.k8s.io):
each message begins with its channel, 0 is data and 1 is errors, and the first message on each names the port.
"""

from __future__ import annotations

import io
import ssl
from typing import Any

from kubernetes.client import ApiClient
from kubernetes.stream.ws_client import create_websocket
from websocket import ABNF, WebSocketException

from towpath.cluster.addresses import PODS

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
# Masked and sent whole: of larger ones both cost several times as much for each byte.
_MESSAGE = 1 << 16
_BUFFER = 1 << 18
_SILENCE_SECONDS = 120.0


class TunnelError(OSError):
    """The way to the pod is closed."""


class Tunnel:
    """As much of a socket as `http.client` asks of one."""

    def __init__(self, api: ApiClient, namespace: str, pod: str, port: int) -> None:
        path = PODS.path(namespace, pod, "portforward")
        headers = {"sec-websocket-protocol": _PROTOCOL}
        api.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
        url = api.configuration.host.replace("http", "ws", 1) + f"{path}?ports={port}"
        try:
            self._websocket = create_websocket(api.configuration, url, headers)
            self._websocket.settimeout(_SILENCE_SECONDS)
        except (WebSocketException, OSError) as error:
            raise TunnelError(f"no port-forward to pod {pod}: {error}") from error
        self._named: set[int] = set()

    def sendall(self, content: Any) -> None:
        """Send all of it."""
        view = memoryview(content)
        try:
            for start in range(0, len(view), _MESSAGE):
                message = b"".join((bytes((_DATA,)), view[start : start + _MESSAGE]))
                self._websocket.send(message, ABNF.OPCODE_BINARY)
        except (WebSocketException, OSError, ssl.SSLError) as error:
            raise TunnelError(str(error)) from error

    def receive(self) -> memoryview:
        """The next bytes; none at the end."""
        while True:
            try:
                opcode, content = self._websocket.recv_data()
            except (WebSocketException, OSError, ssl.SSLError) as error:
                raise TunnelError(str(error)) from error
            if opcode == ABNF.OPCODE_CLOSE:
                return memoryview(b"")
            channel, payload = content[0], memoryview(content)[1:]
            if channel not in self._named:
                self._named.add(channel)
            elif channel == _ERROR:
                raise TunnelError(bytes(payload).decode(errors="replace"))
            elif payload:
                return payload

    def makefile(self, mode: str, *_: object) -> io.BufferedReader:
        """The bytes that come, as a file."""
        del mode
        return io.BufferedReader(_Incoming(self), _BUFFER)

    def settimeout(self, seconds: float | None) -> None:
        """Wait for so long at most."""
        self._websocket.settimeout(seconds)

    def close(self) -> None:
        """Close it, without a farewell that would be waited for."""
        self._websocket.shutdown()


class _Incoming(io.RawIOBase):
    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._tunnel.receive()
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
