"""A CSI driver for inline volumes, on the node: `python -m cluster.csi.driver NAME KUBELET_FOLDER RCLONE`.

Public drivers cannot be had on these machines. This one speaks the real protocol with the real kubelet: it registers
itself, and mounts a folder of a bucket for each volume that it is asked for, by a program of its own, with the Secret
that the kubelet hands it. It says each volume in a line, `published` or `unpublished`, and ends with its stdin.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent import futures
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc  # type: ignore[import-untyped]
from grpc_tools import protoc  # type: ignore[import-untyped]

_SOURCES = Path(__file__).parent
_PATIENCE_SECONDS = 20.0
_READ_ONLY = ("--read-only", "--allow-other", "--umask=0022", "--dir-cache-time=1s", "--vfs-cache-mode=off")


def compiled(folder: Path) -> tuple[ModuleType, ModuleType, ModuleType, ModuleType]:
    """The modules of the two protocols: messages and services of CSI, messages and services of registration."""
    words = ["protoc", f"-I{_SOURCES}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    code = protoc.main([*words, *(str(_SOURCES / name) for name in ("csi.proto", "registration.proto"))])
    if code:
        raise RuntimeError("the protocols of CSI and of registration could not be compiled")
    sys.path.insert(0, str(folder))
    import csi_pb2  # type: ignore[import-not-found]  # noqa: PLC0415 - made just now
    import csi_pb2_grpc  # type: ignore[import-not-found]  # noqa: PLC0415
    import registration_pb2  # type: ignore[import-not-found]  # noqa: PLC0415
    import registration_pb2_grpc  # type: ignore[import-not-found]  # noqa: PLC0415

    return csi_pb2, csi_pb2_grpc, registration_pb2, registration_pb2_grpc


class Volumes:
    """What is mounted, by the path where the kubelet wants it."""

    def __init__(self, rclone: str) -> None:
        self._rclone = rclone
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def publish(self, target: Path, context: dict[str, str], secrets: dict[str, str]) -> None:
        """Mount it there; asked for once more, it is there already."""
        if os.path.ismount(target):
            return
        target.mkdir(parents=True, exist_ok=True)
        folder = "/".join(part for part in (context["bucketName"], context.get("subDir", "")) if part)
        told = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ENDPOINT": context["server"],
            "REGION": "us-east-1",
            "ACCESS_KEY_ID": secrets["AWS_ACCESS_KEY_ID"],
            "SECRET_ACCESS_KEY": secrets["AWS_SECRET_ACCESS_KEY"],
        }
        environment = {f"RCLONE_CONFIG_STORE_{name}": value for name, value in told.items()}
        command = [self._rclone, "mount", f"store:{folder}/", str(target), "--config=", *_READ_ONLY]
        self._running[str(target)] = subprocess.Popen(command, env={**os.environ, **environment})
        until = time.monotonic() + _PATIENCE_SECONDS
        while not os.path.ismount(target):
            if time.monotonic() > until or self._running[str(target)].poll() is not None:
                raise RuntimeError(f"{folder} could not be mounted")
            time.sleep(0.02)
        say("published", context, self._running[str(target)].pid)

    def unpublish(self, target: Path) -> None:
        """Take it away, however it is."""
        subprocess.run(["umount", "--lazy", str(target)], check=False, stderr=subprocess.DEVNULL)
        running = self._running.pop(str(target), None)
        if running is not None:
            running.kill()
            running.wait()
        if target.exists():
            target.rmdir()
        say("unpublished", {}, 0)

    def end(self) -> None:
        """Take all away."""
        for target in list(self._running):
            self.unpublish(Path(target))


def say(what: str, context: dict[str, str], pid: int) -> None:
    """One line for the test that started it."""
    print(json.dumps({"said": what, "context": context, "pid": pid}), flush=True)


def main(name: str, kubelet: str, rclone: str) -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory() as made:
        csi, csi_services, registration, registration_services = compiled(Path(made))
        volumes = Volumes(rclone)
        endpoint = Path(kubelet) / "plugins" / name / "csi.sock"
        registered = Path(kubelet) / "plugins_registry" / f"{name}-reg.sock"
        server = grpc.server(futures.ThreadPoolExecutor(8))
        csi_services.add_IdentityServicer_to_server(identity_service(csi, csi_services, name), server)
        csi_services.add_NodeServicer_to_server(node_service(csi, csi_services, volumes), server)
        registrar = registration_service(registration, registration_services, name, str(endpoint))
        registration_services.add_RegistrationServicer_to_server(registrar, server)
        for socket in (endpoint, registered):
            socket.parent.mkdir(parents=True, exist_ok=True)
            socket.unlink(missing_ok=True)
            server.add_insecure_port(f"unix://{socket}")
        server.start()
        sys.stdin.read()
        registered.unlink(missing_ok=True)
        server.stop(1).wait()
        volumes.end()
        endpoint.unlink(missing_ok=True)


def identity_service(csi: Any, services: Any, name: str) -> Any:
    """Who the driver is."""

    class Identity(services.IdentityServicer):  # type: ignore[misc] # made just now
        def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's
            return csi.GetPluginInfoResponse(name=name, vendor_version="1")

        def GetPluginCapabilities(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
            return csi.GetPluginCapabilitiesResponse()

        def Probe(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
            return csi.ProbeResponse()

    return Identity()


def node_service(csi: Any, services: Any, volumes: Volumes) -> Any:
    """What the kubelet asks for."""

    class Node(services.NodeServicer):  # type: ignore[misc] # made just now
        def NodePublishVolume(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
            try:
                volumes.publish(
                    Path(request.target_path), dict(request.volume_context), dict(request.secrets)
                )
            except (RuntimeError, KeyError) as failed:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{type(failed).__name__}: {failed}")
            return csi.NodePublishVolumeResponse()

        def NodeUnpublishVolume(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
            volumes.unpublish(Path(request.target_path))
            return csi.NodeUnpublishVolumeResponse()

        def NodeGetCapabilities(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
            return csi.NodeGetCapabilitiesResponse()

        def NodeGetInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
            return csi.NodeGetInfoResponse(node_id="node")

    return Node()


def registration_service(registration: Any, services: Any, name: str, endpoint: str) -> Any:
    """What the kubelet asks first, and then says."""

    class Registration(services.RegistrationServicer):  # type: ignore[misc] # made just now
        def GetInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's
            return registration.PluginInfo(
                type="CSIPlugin", name=name, endpoint=endpoint, supported_versions=["1.0.0"]
            )

        def NotifyRegistrationStatus(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
            say("registered" if request.plugin_registered else f"refused: {request.error}", {}, 0)
            return registration.RegistrationStatusResponse()

    return Registration()


if __name__ == "__main__":
    main(*sys.argv[1:])
