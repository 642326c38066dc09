"""The Terraform as it is written: its format, its own tests on a mocked provider, and checkov. Nothing is made."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.terraform import cli_configuration, program
from support.tool_venv import ROOT, NoToolError, tool_venv

CONFIGURATION = ROOT / "infrastructure"
TESTS = sorted(path.name for path in CONFIGURATION.glob("tests/*.tftest.hcl"))
AREAS = "  areas = {\n"
ONE_MORE_AREA = f'{AREAS}    another = {{ function = "data" }}\n'
WITH_ONE_MORE_AREA = """
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "everything_follows" {
  command = plan

  variables {
    image_tag = "0123abc"
  }

  assert {
    condition = (
      length(aws_apigatewayv2_route.this) == 20 &&
      contains(keys(aws_apigatewayv2_integration.this), "another") &&
      contains(keys(aws_lambda_permission.api), "another") &&
      aws_apigatewayv2_route.this["GET /api/v1/another/{proxy+}"].authorization_scopes == toset(["parakeet/read"])
    )
    error_message = "Something of the area is missing."
  }
}
"""
#: A test that hangs is ended after two minutes; see pyproject.toml.
_LIMIT_S = 115

Done = subprocess.CompletedProcess[str]
Terraform = Callable[..., Done]


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform on the configuration itself, all that it writes in a folder of the test's."""
    folder = tmp_path_factory.mktemp("terraform")
    try:
        path = program()
    except NoToolError as error:
        pytest.skip(str(error))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TF_DATA_DIR": str(folder / "data"),
        **cli_configuration(folder),
    }

    def run(*arguments: str) -> Done:
        return _finished(path, *arguments, environment=environment)

    return run


@pytest.fixture(scope="module")
def initialised(terraform: Terraform) -> Terraform:
    """Terraform with the provider that the lock file names."""
    done = terraform("init", "-backend=false", "-input=false", "-lockfile=readonly", "-no-color")
    if "could not connect" in done.stderr.lower() or "failed to query" in done.stderr.lower():
        pytest.skip("neither a mirror of the AWS provider (TF_PLUGIN_MIRROR) nor its registry")
    assert done.returncode == 0, done.stderr
    return terraform


def test_format_is_terraforms_own(terraform: Terraform) -> None:
    done = terraform("fmt", "-check", "-diff", "-recursive", "-no-color")

    assert done.returncode == 0, done.stdout


def test_configuration_is_valid(initialised: Terraform) -> None:
    done = initialised("validate", "-no-color")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", TESTS)
def test_terraform_tests_pass(initialised: Terraform, name: str) -> None:
    done = initialised("test", f"-filter=tests/{name}", "-no-color")

    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", done.stdout)


def test_a_new_area_is_one_more_entry(initialised: Terraform, tmp_path: Path) -> None:
    copy = tmp_path / "infrastructure"
    shutil.copytree(CONFIGURATION, copy, ignore=shutil.ignore_patterns(".terraform", "*.tftest.hcl"))
    functions = copy / "lambda.tf"
    text = functions.read_text(encoding="utf-8")
    assert text.count(AREAS) == 1
    functions.write_text(text.replace(AREAS, ONE_MORE_AREA), encoding="utf-8")
    (copy / "tests" / "another.tftest.hcl").write_text(WITH_ONE_MORE_AREA, encoding="utf-8")

    done = initialised(f"-chdir={copy}", "test", "-no-color")

    assert done.returncode == 0, done.stdout + done.stderr


def test_checkov_finds_nothing(tmp_path: Path) -> None:
    try:
        checkov = tool_venv("checkov") / "checkov"
    except NoToolError as error:
        pytest.skip(f"no checkov: {error}")

    done = _finished(
        str(checkov),
        *("--directory", ".", "--framework", "terraform", "--skip-download", "--output", "json"),
        environment={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )

    assert done.stdout.startswith("{"), done.stdout + done.stderr
    found = json.loads(done.stdout)
    failed = [f"{check['check_id']} {check['resource']}" for check in found["results"]["failed_checks"]]
    assert not failed
    assert found["summary"]["passed"] > 150
    assert found["summary"]["parsing_errors"] == 0


def test_every_suppression_says_why() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(CONFIGURATION.glob("*.tf")))
    suppressions = re.findall(r"#checkov:skip=(\w+)(?::(.*))?", text)

    assert suppressions
    assert [check for check, reason in suppressions if len(reason) < 20] == []


def _finished(*command: str, environment: dict[str, str]) -> Done:
    return subprocess.run(  # noqa: S603  our own fixed commands
        command, cwd=CONFIGURATION, env=environment, capture_output=True, text=True, timeout=_LIMIT_S, check=False
    )
