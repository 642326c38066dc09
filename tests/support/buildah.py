"""Images without a daemon: buildah on a store of its own that is thrown away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ENVIRONMENT = ("PATH", "HOME", "TMPDIR")


class NoBuildahError(Exception):
    """An image cannot be built on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of an image, compressed as a registry holds it."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder with images and containers in it."""

    folder: Path

    def build(
        self, tag: str, context: Path, containerfile: Path, *, arguments: Mapping[str, str], volumes: Mapping[Path, str]
    ) -> None:
        """Build an image; `volumes` are there while it is built, read-only, and not in it."""
        options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        options += [f"--volume={source}:{target}:ro" for source, target in volumes.items()]
        self._run("bud", "--isolation=chroot", *options, f"--tag={tag}", f"--file={containerfile}", str(context))

    def settings(self, tag: str) -> dict[str, Any]:  # Any: JSON
        """What the image says about how it is run: User, Cmd, Entrypoint and so on."""
        found: dict[str, Any] = json.loads(self._run("inspect", "--type=image", tag))["OCIv1"]["config"]
        return found

    def layers(self, tag: str) -> list[Layer]:
        """The layers of the image, lowest first, as a registry would hold them."""
        target = self.folder / f"layout-{tag.rpartition('/')[2]}"
        self._run("push", tag, f"oci:{target}:latest")
        blobs = target / "blobs" / "sha256"

        def blob(digest: str) -> dict[str, Any]:  # Any: JSON
            found: dict[str, Any] = json.loads((blobs / digest.removeprefix("sha256:")).read_text())
            return found

        (listed,) = json.loads((target / "index.json").read_text())["manifests"]
        layers = blob(listed["digest"])["layers"]
        return [Layer(digest=layer["digest"], size_bytes=layer["size"]) for layer in layers]

    def container(self, tag: str) -> str:
        """Name of a new container of the image."""
        return self._run("from", tag).strip()

    def mount(self, container: str) -> Path:
        """Where this machine sees the container's root folder."""
        return Path(self._run("mount", container).strip())

    def run(
        self, container: str, *command: str, environment: Mapping[str, str], volumes: Mapping[Path, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the container as the image's user, on this machine's network."""
        options = [f"--env={name}={value}" for name, value in environment.items()]
        options += [f"--volume={source}:{target}" for source, target in volumes.items()]
        return self._process("run", "--isolation=chroot", "--network=host", *options, container, "--", *command)

    def remove(self) -> None:
        """Remove everything, mounts included."""
        self._process("rm", "--all")
        self._process("rmi", "--all", "--force")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *arguments: str) -> str:
        done = self._process(*arguments)
        if done.returncode:
            raise RuntimeError(f"buildah {arguments[0]}: {done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done.stdout

    def _process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        places = [f"--root={self.folder / 'root'}", f"--runroot={self.folder / 'run'}", "--storage-driver=vfs"]
        return subprocess.run(  # noqa: S603  buildah, found on the PATH by `buildah_store`
            ["buildah", *places, *arguments],  # noqa: S607
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def buildah_store(folder: Path) -> Iterator[Store]:
    """An empty store, removed on leaving; `NoBuildahError` where nothing can be built."""
    if shutil.which("buildah") is None:
        raise NoBuildahError("buildah is not installed")
    if os.geteuid() != 0:
        raise NoBuildahError("building with chroot isolation needs root")
    store = Store(folder=folder)
    try:
        yield store
    finally:
        store.remove()
