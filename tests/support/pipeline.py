"""buildspec.yml, run phase by phase as CodeBuild does, with stand-ins for all commands that reach out of the machine.

A stand-in writes its name and arguments to a journal and answers as the test says, the newest matching answer first;
without one it succeeds and prints nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs are in no lock, for this one call

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY_URL = "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com/parakeet"
IMAGE = f"{REPOSITORY_URL}:{COMMIT}"
PHASES = ("install", "pre_build", "build", "post_build")
#: As infrastructure/pipeline.tf sets it (build_environment).
ENVIRONMENT = {
    "COMMIT": COMMIT,
    "REPOSITORY_URL": REPOSITORY_URL,
    "FUNCTION_NAMES": json.dumps({name: f"parakeet-{name}" for name in ("data", "ingest", "migrate")}),
    "MIGRATE_FUNCTION": "parakeet-migrate",
    "CODEDEPLOY_APP": "parakeet",
    "CODEDEPLOY_GROUPS": json.dumps({name: f"parakeet-{name}" for name in ("data", "ingest")}),
    "SITE_BUCKET": "parakeet-site",
    "DISTRIBUTION_ID": "E2QWRUHEXAMPLE",
    "JWT_ISSUER": "https://issuer.example.com",
    "JWT_CLIENT_ID": "client",
    "JWT_SCOPES": "openid parakeet/read parakeet/write",
    "SIGN_IN_HOST": "",
    "POLL_SECONDS": "0",
}
_STAND_INS = ("aws", "docker", "npm")
_STAND_IN = """#!{python} -IS
import json, os, sys
from pathlib import Path
folder = Path({folder!r})
call = [Path(sys.argv[0]).name, *sys.argv[1:]]
with (folder / "journal").open("a") as journal:
    journal.write(json.dumps({{"call": call, "stdin": "" if sys.stdin.isatty() else sys.stdin.read()}}) + "\\n")
answers = json.loads((folder / "answers.json").read_text())
for number, answer in enumerate(answers):
    if call[: len(answer["call"])] == answer["call"] and answer["times"] != 0 and set(answer["also"]) <= set(call):
        answers[number]["times"] -= 1
        (folder / "answers.json").write_text(json.dumps(answers))
        if answer["writes"]:
            Path(call[-1]).write_text(answer["writes"])
        sys.stdout.write(answer["prints"])
        sys.stderr.write(answer["complains"])
        sys.exit(answer["exits"])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a stand-in does when its call begins with `call` and holds all of `also`; `times` -1 is always."""

    call: Sequence[str]
    also: Sequence[str] = ()
    prints: str = ""
    complains: str = ""
    writes: str = ""
    exits: int = 0
    times: int = -1


#: An account in which everything works: version 7 is new, version 6 is served.
USUAL = (
    Answer(
        call=("aws", "ecr", "describe-images"),
        complains="An error occurred (ImageNotFoundException) when calling the DescribeImages operation",
        exits=254,
    ),
    Answer(call=("aws", "ecr", "get-login-password"), prints="password\n"),
    Answer(call=("aws", "lambda", "publish-version"), prints="7\n"),
    Answer(call=("aws", "lambda", "get-alias"), prints="6\n"),
    Answer(call=("aws", "lambda", "invoke"), prints="None\n", writes='{"before": "0001", "after": "0002"}'),
    Answer(call=("aws", "deploy", "create-deployment"), also=("parakeet-data",), prints="d-DATA\n"),
    Answer(call=("aws", "deploy", "create-deployment"), also=("parakeet-ingest",), prints="d-INGEST\n"),
    Answer(call=("aws", "deploy", "get-deployment"), prints="InProgress\n", times=1),
    Answer(call=("aws", "deploy", "get-deployment"), prints="Succeeded\n"),
    Answer(call=("aws", "cloudfront", "create-invalidation"), prints="I2J0I21PCUYOIK\n"),
)


def buildspec() -> dict[str, Any]:  # Any: YAML
    """The buildspec, parsed."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "buildspec.yml").read_text())
    return parsed


def commands(phase: str) -> list[str]:
    """Commands of a phase."""
    found: list[str] = buildspec()["phases"].get(phase, {}).get("commands", [])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a run ended, and what it called on its way."""

    failed_command: str | None
    output: str
    calls: tuple[tuple[str, ...], ...]
    stdin: tuple[str, ...]

    def index(self, *words: str) -> int:
        """Place of the only call that holds all those words."""
        (place,) = (number for number, call in enumerate(self.calls) if set(words) <= set(call))
        return place

    def places(self, *words: str) -> list[int]:
        """Places of all calls that hold those words."""
        return [number for number, call in enumerate(self.calls) if set(words) <= set(call)]


class Pipeline:
    """A checkout in a folder, as CodePipeline hands it over: without a git repository."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self._tools = folder / "checkout", folder / "tools"
        (self.checkout / ".ci").mkdir(parents=True)
        (self.checkout / "scripts").mkdir()
        (self.checkout / ".ci" / "run").write_text("")
        (self.checkout / "backend").mkdir()
        for name in ("buildspec.yml", "backend/Dockerfile", "scripts/release", "scripts/push_image"):
            shutil.copyfile(ROOT / name, self.checkout / name)  # and not its mode: the pipeline may lose it
        self._tools.mkdir()
        self._answers = list(USUAL)
        for name in _STAND_INS:
            self.add_tool(name)
        for name in ("check", "test"):
            self._stand_in(self.checkout / "scripts" / name)

    def add_tool(self, name: str) -> None:
        """Put a stand-in of this name on the PATH."""
        self._stand_in(self._tools / name)

    def _stand_in(self, path: Path) -> None:
        path.write_text(_STAND_IN.format(python=sys.executable, folder=str(self._tools)))
        path.chmod(0o755)

    def answer(self, *answers: Answer) -> None:
        """Answer so from now on; what was said before holds for all other calls."""
        self._answers = [*answers, *self._answers]

    def add_page(self) -> None:
        """A page that is built already, for what follows the build."""
        for name in ("index.html", "favicon.svg", "assets/index-3f2a.js"):
            path = self.checkout / "frontend" / "dist" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)

    def run(self, **environment: str) -> Ran:
        """Run all phases; the first command that fails ends it, as `on-failure: ABORT` says."""
        return self.run_commands([command for phase in PHASES for command in commands(phase)], **environment)

    def run_commands(self, wanted: Sequence[str], **environment: str) -> Ran:
        """Run commands until one fails."""
        journal = self._tools / "journal"
        journal.write_text("")
        (self._tools / "answers.json").write_text(json.dumps([asdict(answer) for answer in self._answers]))
        failed, output = None, ""
        for command in wanted:
            done = self._shell(command, environment)
            output += done.stdout + done.stderr
            if done.returncode:
                failed = command
                break
        entries = [json.loads(line) for line in journal.read_text().splitlines()]
        calls = tuple(tuple(entry["call"]) for entry in entries)
        return Ran(failed_command=failed, output=output, calls=calls, stdin=tuple(entry["stdin"] for entry in entries))

    def _shell(self, command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        path = f"{self._tools}:{os.environ['PATH']}"
        return subprocess.run(  # noqa: S603  a command of our own buildspec, with stand-ins before everything else
            ["bash", "-c", command],  # noqa: S607
            cwd=self.checkout,
            env=ENVIRONMENT | {"PATH": path, "HOME": str(self._tools)} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
