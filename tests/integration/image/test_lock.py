"""The locks: in step with each other, complete, and installable on the image's Python and platform."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.image import ROOT, Wheels, default_of
from support.lambda_base import Python
from support.locks import Pin, download, read_lock

RUNTIME, ALL = ROOT / "backend" / "requirements.txt", ROOT / "requirements.txt"

RUNTIME_CHECKLIST = (
    "psycopg2-binary",
    "asyncpg",
    "fastapi",
    "mangum",
    "sqlalchemy",
    "boto3",
    "pandas",
    "pyarrow",
    "aiofiles",
)
TEST_CHECKLIST = ("moto", "pytest", "playwright")


def versions(path: Path) -> dict[tuple[str, str | None], str]:
    """Version by name and marker: a universal lock may hold two of a package."""
    return {(pin.name, pin.marker): pin.version for pin in read_lock(path)}


def test_there_is_a_wheel_with_a_locked_hash_of_every_package_for_the_image(wheels: Wheels) -> None:
    # pip has verified the hashes; one wheel of each package, and the tool that builds the project.
    version = default_of("PYTHON_VERSION")
    wanted = [pin for pin in read_lock(RUNTIME) if pin.applies_to(version)]
    assert len(list(wheels(version).glob("*.whl"))) == len(wanted) + 1


def test_a_hash_that_no_wheel_has_is_refused(tmp_path: Path, python: Python) -> None:
    (pin,) = (pin for pin in read_lock(RUNTIME) if pin.name == "mangum")
    forged = Pin(name=pin.name, version=pin.version, marker=None, hashes=("sha256:" + "0" * 64,))
    with pytest.raises(RuntimeError, match=r"(?i)hash"):
        download([forged], tmp_path, python_version=python.version)


def test_every_line_of_a_lock_that_names_a_version_is_read() -> None:
    for path in (RUNTIME, ALL):
        lines = re.findall(r"^[^ #].*==", path.read_text(), flags=re.MULTILINE)
        assert len(read_lock(path)) == len(lines) > 60


def test_markers_are_those_of_the_image_and_not_of_the_machine() -> None:
    numpy = {pin.marker: pin for pin in read_lock(RUNTIME) if pin.name == "numpy"}
    # One version for 3.11, a newer one from 3.12.
    assert {marker for marker, pin in numpy.items() if pin.applies_to("3.11")} == {"python_full_version < '3.12'"}
    assert {marker for marker, pin in numpy.items() if pin.applies_to("3.13")} == {"python_full_version >= '3.12'"}
    # One version before 3.11.5, a newer one since; a base image without a patch release is the newest.
    old, new = "python_full_version < '3.11.5'", "python_full_version >= '3.11.5'"
    pins = [Pin(name="soupsieve", version="2", marker=marker, hashes=()) for marker in (old, new)]
    for version, expected in (("3.11.4", old), ("3.11.7", new), ("3.11", new), ("3.13", new)):
        assert {pin.marker for pin in pins if pin.applies_to(version)} == {expected}
    (colorama,) = (pin for pin in read_lock(RUNTIME) if pin.name == "colorama")
    assert colorama.marker == "sys_platform == 'win32'"
    assert not colorama.applies_to("3.13")


def test_the_two_locks_agree_to_the_version() -> None:
    runtime, everything = versions(RUNTIME), versions(ALL)
    for (name, marker), version in runtime.items():
        same = [found for (other, found_marker), found in everything.items() if (other, found_marker) == (name, marker)]
        same = same or [found for (other, _), found in everything.items() if other == name]
        assert version in same, (name, version, same)


@pytest.mark.parametrize("package", RUNTIME_CHECKLIST)
def test_the_runtime_lock_holds(package: str) -> None:
    assert package in {pin.name for pin in read_lock(RUNTIME)}


@pytest.mark.parametrize("package", RUNTIME_CHECKLIST + TEST_CHECKLIST)
def test_the_whole_lock_holds(package: str) -> None:
    assert package in {pin.name for pin in read_lock(ALL)}
