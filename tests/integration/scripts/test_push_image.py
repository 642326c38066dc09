"""An operator's first push, with stand-ins for aws, docker and podman that keep a journal."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.pipeline import REPOSITORY_URL, Answer, Pipeline

PUSH = f"bash scripts/push_image {REPOSITORY_URL}"


def git(pipeline: Pipeline, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", "-c", "user.name=me", "-c", "user.email=me@example.com", *arguments],  # noqa: S607
        cwd=pipeline.checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """A checkout with one commit."""
    made = Pipeline(tmp_path)
    git(made, "init", "--quiet")
    git(made, "add", ".")
    git(made, "commit", "--quiet", "--message", "first")
    return made


def test_the_image_is_named_after_the_present_commit_which_is_printed_last(pipeline: Pipeline) -> None:
    commit = git(pipeline, "rev-parse", "HEAD")
    ran = pipeline.run_commands([PUSH], COMMIT="")
    assert ran.failed_command is None, ran.output
    assert ran.calls[ran.index("docker", "push")] == ("docker", "push", f"{REPOSITORY_URL}:{commit}")
    assert ran.output.splitlines()[-1] == commit


def test_a_checkout_that_is_not_its_commit_is_refused(pipeline: Pipeline) -> None:
    (pipeline.checkout / "backend" / "app.py").write_text("print('not committed')\n")
    ran = pipeline.run_commands([PUSH], COMMIT="")
    assert ran.failed_command == PUSH
    assert "commit first" in ran.output
    assert ran.calls == ()


def test_the_platform_is_x86_64_unless_another_is_named(pipeline: Pipeline) -> None:
    ran = pipeline.run_commands([PUSH, f"{PUSH} linux/arm64"], COMMIT="")
    platforms = [ran.calls[place][ran.calls[place].index("--platform") + 1] for place in ran.places("docker", "build")]
    assert platforms == ["linux/amd64", "linux/arm64"]


def test_another_builder_is_taken_where_docker_has_no_daemon(pipeline: Pipeline) -> None:
    pipeline.add_tool("podman")
    pipeline.answer(Answer(call=("docker", "info"), complains="Cannot connect to the Docker daemon", exits=1))
    ran = pipeline.run_commands([PUSH], COMMIT="")
    assert ran.failed_command is None, ran.output
    assert [call[1] for call in ran.calls if call[0] == "podman"] == ["info", "login", "build", "push"]
    assert ran.places("docker") == ran.places("docker", "info")


@pytest.mark.parametrize("arguments", ["", "one two three", "no-slash"])
def test_a_wrong_call_is_refused(arguments: str, pipeline: Pipeline) -> None:
    ran = pipeline.run_commands([f"bash scripts/push_image {arguments}"])
    assert ran.failed_command is not None
    assert ran.output.startswith("error: ")
    assert ran.calls == ()
