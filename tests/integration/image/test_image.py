"""The image as Lambda gets it: its size, its files, who it runs as, and every handler answering inside it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.buildah import Store
from support.image import BASE, IMAGE, PLANTED, ROOT, Image, default_of
from support.runtime_api import runtime_api

EVENTS = ROOT / "tests" / "integration" / "handlers" / "events"
#: Numeric in the Dockerfile, so that "not root" can be read off it.
USER_ID = 10001
_TMP = "/tmp"  # noqa: S108  of the container
HANDLERS = re.findall(r'^ +handler += "(.+)"$', (ROOT / "infrastructure" / "lambda.tf").read_text(), flags=re.MULTILINE)

#: Imports everything of ours, and what we import from others only when it is needed.
IMPORT_EVERYTHING = """
import importlib, importlib.metadata as metadata, json, os, pkgutil
for package in ("aws", "backend", "strategy"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        importlib.import_module(module.name)
import asyncpg, psycopg2, pyarrow.compute, pyarrow.dataset, pyarrow.parquet, scipy.optimize, scipy.stats
import boto3, curl_cffi.requests
for service in ("s3", "secretsmanager", "sns", "sqs", "stepfunctions"):
    boto3.client(service, region_name="us-east-1")
print(json.dumps({
    "version": metadata.version("potential-parakeet"),
    "scripts": [entry.name for entry in metadata.entry_points(group="console_scripts", name="parakeet")],
    "user": os.getuid(),
    "path": importlib.import_module("backend").__file__,
}))
"""
QUICKSTART = """
import sys
from importlib.metadata import entry_points
sys.argv = ["parakeet", "quickstart"]
(parakeet,) = entry_points(group="console_scripts", name="parakeet")
parakeet.load()()
"""


def recorded(name: str) -> dict[str, Any]:  # Any: JSON
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


class Functions:
    """The image's functions on a database and a cache in /tmp, as the image's own user."""

    def __init__(self, image: Image, tmp: Path) -> None:
        self._image, self._tmp = image, tmp

    def python(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script in the task folder."""
        return self._run("python3", "-c", script, PYTHONPATH="/var/task", **environment)

    def invoke(self, event: dict[str, Any], *, handler: str | None = None) -> Any:  # Any: JSON
        """Answer of a handler, by default the one that the image names, through the image's own entry point."""
        settings = self._image.store.settings(IMAGE)
        command = [handler] if handler else settings["Cmd"]
        with runtime_api(event) as api:
            done = self._run(*settings["Entrypoint"], *command, AWS_LAMBDA_RUNTIME_API=api.address)
        assert api.error is None, api.error
        assert api.answer is not None, done.stderr
        return api.answer

    def _run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        defaults = {
            "DATABASE_URL": f"sqlite:///{_TMP}/trades.db",
            "CACHE_URL": f"{_TMP}/cache",
            "AWS_LAMBDA_FUNCTION_NAME": "parakeet-test",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_REGION": "us-east-1",
        }
        return self._image.store.run(
            self._image.container, *command, environment=defaults | environment, volumes={self._tmp: _TMP}
        )


@pytest.fixture(scope="session")
def functions(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """The functions, with the sample ingested and two backtests made in the image itself."""
    tmp = tmp_path_factory.mktemp("tmp")
    os.chown(tmp, USER_ID, USER_ID)
    found = Functions(image, tmp)
    done = found.python(QUICKSTART)
    assert done.returncode == 0, done.stderr
    yield found
    shutil.rmtree(tmp)


def test_the_base_is_awss_own_unless_the_build_says_otherwise(base: str) -> None:
    assert default_of("BASE") == "public.ecr.aws/lambda/python:${PYTHON_VERSION}"
    assert base == BASE


def test_only_what_runs_is_inside(image: Image) -> None:
    for name in (
        *PLANTED,
        "frontend",
        "tests",
        "scripts",
        "infrastructure",
        "docs",
        "bin",
        "include",
        "setuptools",
        "pip",
    ):
        assert not (image.task / name).exists(), name
    for name in ("build", "wheels", "etc/pip.conf"):
        assert not (image.root / name).exists(), name
    assert not [path for path in image.task.rglob("tests") if path.is_dir()]
    assert {path.name for path in (image.task / "database").iterdir()} == {
        "migrations",
        "sample",
        "schema.sql",
        "universes",
    }


def test_a_function_runs_as_a_user_without_rights(image: Image, store: Store, functions: Functions) -> None:
    assert store.settings(IMAGE)["User"] == f"{USER_ID}:{USER_ID}"
    assert functions.python("import os; print(os.getuid(), os.getgid())").stdout.split() == [str(USER_ID)] * 2


def test_nobody_but_root_can_change_the_code(image: Image) -> None:
    for path in (image.task, *image.task.rglob("*")):
        status = path.lstat()
        assert status.st_uid == status.st_gid == 0, path
        assert path.is_symlink() or not status.st_mode & 0o022, path


def test_less_than_200_mb_are_added_to_the_base(image: Image, store: Store) -> None:
    own = store.layers(IMAGE)[len(store.layers(BASE)) :]
    size_mb = sum(layer.size_bytes for layer in own) / 1e6
    # 177 MB when this was written: pyarrow 33, scipy 35, botocore 17, numpy 15, curl-cffi 14, pandas 12 and so on.
    assert 100 < size_mb < 200


def test_every_module_is_compiled_once_and_never_compared_with_its_source(image: Image) -> None:
    sources = [path for path in image.task.rglob("*.py") if path.parent.name != "__pycache__"]
    compiled = list(image.task.rglob("*.pyc"))
    assert len(compiled) == len(sources) > 2000
    # PEP 552: a word of flags after the magic number; 1 is "by hash, unchecked".
    assert {path.read_bytes()[4:8] for path in compiled} == {(1).to_bytes(4, "little")}


def test_every_module_imports_and_the_project_knows_its_version(functions: Functions) -> None:
    done = functions.python(IMPORT_EVERYTHING)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    expected = {"version": version, "scripts": ["parakeet"], "user": USER_ID, "path": "/var/task/backend/__init__.py"}
    assert facts == expected


@pytest.mark.parametrize("handler", HANDLERS)
def test_every_handler_that_terraform_names_is_there(handler: str, functions: Functions) -> None:
    module, _, name = handler.rpartition(".")
    done = functions.python(f"import {module}; assert callable({module}.{name})")
    assert done.returncode == 0, done.stderr


def test_the_image_answers_for_data_when_no_handler_is_named(functions: Functions) -> None:
    answer = functions.invoke(recorded("data_status"))
    assert answer["statusCode"] == 200
    assert {row["key"] for row in json.loads(answer["body"])["data"]} == {"SAMPLE_US5", "SAMPLE_US20"}


@pytest.mark.parametrize(
    ("area", "event"), [("data", "data_prices"), ("strategies", "strategies_list"), ("backtest", "backtest_post")]
)
def test_the_functions_answer_for_their_area(area: str, event: str, functions: Functions) -> None:
    answer = functions.invoke(recorded(event), handler=f"backend.handlers.{area}.handler")
    assert answer["statusCode"] == 200, answer["body"]


def test_the_schema_is_up_to_date_for_the_migration_function(functions: Functions) -> None:
    answer = functions.invoke({}, handler="backend.handlers.migrate.handler")
    assert answer["before"] == answer["after"]


def test_the_ingest_function_brings_a_universe_up_to_date(functions: Functions) -> None:
    report = functions.invoke(recorded("scheduled_ingest"), handler="backend.lambda_daily_ingest.handler")
    assert report["status"] == "succeeded"
