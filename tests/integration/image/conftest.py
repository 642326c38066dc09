"""The image of backend/Dockerfile, built once on a base that is put together from this machine's Python.

No registry of images is asked, and pip in the build sees the wheels that the lock names and nothing else.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.buildah import NoBuildahError, Store, buildah_store
from support.image import BASE, IMAGE, ROOT, Image, Wheels, build_tool, copy_checkout, default_of
from support.lambda_base import RUNTIME_PACKAGES, Python, find_python, lay_out
from support.locks import download, minor_version, read_lock


@pytest.fixture(scope="session")
def python() -> Python:
    """Interpreter of the local base: of the image's version where this machine has it."""
    return find_python(default_of("PYTHON_VERSION"))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wheels]:
    """Every wheel that an image of a Python version needs, downloaded once."""
    made: dict[tuple[object, ...], Path] = {}

    def folder_for(python_version: str) -> Path:
        lock = read_lock(ROOT / "backend" / "requirements.txt")
        wanted = (*(pin for pin in lock if pin.applies_to(python_version)), build_tool())
        # Patch releases share what they share.
        key = (minor_version(python_version), *wanted)
        if key not in made:
            made[key] = tmp_path_factory.mktemp("wheels")
            download(wanted, made[key], python_version=python_version, machine=platform.machine())
        return made[key]

    yield folder_for
    for folder in made.values():
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Where images are built; the tests are skipped where none can be."""
    try:
        with buildah_store(tmp_path_factory.mktemp("buildah")) as found:
            yield found
    except NoBuildahError as error:
        pytest.skip(f"no image can be built: {error}")


@pytest.fixture(scope="session")
def base(store: Store, python: Python, wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tag of the local base; the wheels for what is built on it lie ready, too."""
    wheels(python.full_version)
    folder = tmp_path_factory.mktemp("base")
    runtime = [pin for pin in read_lock(ROOT / "requirements.txt") if pin.name in RUNTIME_PACKAGES]
    download(runtime, folder / "wheels", python_version=python.version, machine=platform.machine())
    lay_out(python, (folder / "wheels").glob("*.whl"), folder / "context")
    store.build(BASE, folder / "context", folder / "context" / "Containerfile", arguments={}, volumes={})
    shutil.rmtree(folder)
    return BASE


@pytest.fixture(scope="session")
def image(store: Store, base: str, python: Python, wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The built image."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(folder / "project")
    settings = folder / "pip.conf"
    settings.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    store.build(
        IMAGE,
        folder / "project",
        folder / "project" / "backend" / "Dockerfile",
        arguments={"BASE": base},
        volumes={wheels(python.full_version): "/wheels", settings: "/etc/pip.conf"},
    )
    container = store.container(IMAGE)
    return Image(store=store, container=container, root=store.mount(container))
