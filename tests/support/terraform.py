"""Terraform on a copy of infrastructure/, with its state in a local file and, offline, the provider from a mirror."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.tool_venv import ROOT, NoToolError

#: Where a mirror of providers may lie: the layout is HOST/NAMESPACE/TYPE/VERSION/PLATFORM.
_ROOTS = ("/opt", "/usr/share", "/usr/local/share", str(Path.home() / ".terraform.d"))
_PROVIDER = "registry.terraform.io/hashicorp/aws"
_LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'


class Terraform:
    """Terraform in a folder of its own.

    Parameters
    ----------
    folder : Path
        Made here; holds the copy and its state.
    environment : mapping of str to str
        What Terraform and the provider see beside PATH: keys, region, endpoint, secret variables.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        shutil.copytree(ROOT / "infrastructure", folder, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        (folder / "backend_override.tf").write_text(_LOCAL_STATE, encoding="utf-8")
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TF_IN_AUTOMATION": "1",
            **cli_configuration(folder),
            **environment,
        }

    @property
    def state(self) -> Path:
        """File of the state."""
        return self._folder / "terraform.tfstate"

    def init(self) -> None:
        """Install the provider."""
        self.run("init", timeout_s=120)

    def apply(self, variables: Mapping[str, Any]) -> None:  # Any: JSON
        """Make what the configuration says."""
        self._set(variables)
        self.run("apply", "-auto-approve", timeout_s=600)

    def destroy(self, variables: Mapping[str, Any]) -> None:  # Any: JSON
        """Remove all of it."""
        self._set(variables)
        self.run("destroy", "-auto-approve", timeout_s=600)

    def pending(self) -> list[str]:
        """Addresses of the resources that another apply of the same variables would change, sorted."""
        self.run("plan", "-out=again.tfplan", timeout_s=300)
        changes = json.loads(self.run("show", "-json", "again.tfplan"))["resource_changes"]
        return sorted(
            change["address"] for change in changes if change["change"]["actions"] not in (["no-op"], ["read"])
        )

    def outputs(self) -> dict[str, Any]:  # Any: JSON
        """Values of the outputs."""
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}

    def run(self, command: str, *options: str, timeout_s: float = 60) -> str:
        """Standard output of a command; `AssertionError` with its complaint when it fails."""
        done = subprocess.run(  # noqa: S603  our own fixed commands
            [program(), command, "-no-color", *(() if command in {"output", "show"} else ("-input=false",)), *options],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"terraform {command}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def _set(self, variables: Mapping[str, Any]) -> None:
        (self._folder / "test.auto.tfvars.json").write_text(json.dumps(variables), encoding="utf-8")


def program() -> str:
    """Path of Terraform; `NoToolError` where there is none."""
    found = shutil.which("terraform")
    if found is None:
        raise NoToolError("terraform is not installed")
    return found


def cli_configuration(folder: Path) -> dict[str, str]:
    """Environment that lets Terraform take the provider from a mirror, where one lies on this machine."""
    mirror = _mirror()
    if mirror is None:
        return {}
    path = folder / "terraform.rc"
    path.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return {"TF_CLI_CONFIG_FILE": str(path)}


def _mirror() -> Path | None:
    if named := os.environ.get("TF_PLUGIN_MIRROR"):
        return Path(named)
    for root in _ROOTS:
        for provider in (*Path(root).glob(_PROVIDER), *Path(root).glob(f"*/{_PROVIDER}")):
            return provider.parents[2]
    return None
