"""The release, from buildspec.yml to the last upload, with stand-ins for aws, docker and npm that keep a journal."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.pipeline import (
    COMMIT,
    ENVIRONMENT,
    IMAGE,
    PHASES,
    REPOSITORY_URL,
    ROOT,
    Answer,
    Pipeline,
    Ran,
    buildspec,
    commands,
)

SHELL_SCRIPTS = sorted(
    str(path.relative_to(ROOT))
    for path in (*(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run")
    if path.suffix == ".sh" or (path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash"))
)
BUILDSPEC_COMMANDS = [command for phase in PHASES for command in commands(phase)]
SERVED = ("data", "ingest")


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(tmp_path)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A release with a page in which everything goes well."""
    pipeline = Pipeline(tmp_path_factory.mktemp("usual"))
    pipeline.add_page()
    ran = pipeline.run()
    assert ran.failed_command is None, ran.output
    return ran


@pytest.mark.parametrize("script", SHELL_SCRIPTS)
def test_bash_reads_every_shell_script(script: str) -> None:
    assert "scripts/release" in SHELL_SCRIPTS
    done = subprocess.run(["bash", "-n", str(ROOT / script)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", ["scripts/release", "scripts/push_image"])
def test_shellcheck_finds_nothing(script: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    command = [
        "shellcheck",
        "--shell=bash",
        "--exclude=SC1091",
        script,
    ]  # it does not follow `. scripts/environment.sh`
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("command", BUILDSPEC_COMMANDS)
def test_bash_reads_every_command_of_the_buildspec(command: str) -> None:
    done = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert (done.returncode, done.stderr) == (0, "")


def test_the_buildspec_stops_at_the_first_failure_and_releases_in_one_phase() -> None:
    # CodeBuild goes on to post_build after a failed build, so nothing may be there.
    phases = buildspec()["phases"]
    assert set(phases) == {"install", "pre_build", "build"}
    assert {phase["on-failure"] for phase in phases.values()} == {"ABORT"}
    assert buildspec()["env"]["shell"] == "bash"


def test_the_build_project_sets_what_the_release_reads() -> None:
    source = (ROOT / "infrastructure" / "pipeline.tf").read_text()
    (block,) = re.findall(r"build_environment = \{\n(.+?)\n  \}", source, flags=re.DOTALL)
    assert set(re.findall(r"^ +([A-Z_]+) +=", block, flags=re.MULTILINE)) == set(ENVIRONMENT) - {
        "COMMIT",
        "POLL_SECONDS",
    }
    assert 'name = "COMMIT"' in source


def test_a_release_goes_step_by_step(usual: Ran) -> None:
    alias_of_migrate = usual.index("lambda", "update-alias")
    steps = [
        usual.index("check"),
        usual.index("test"),
        usual.index("npm", "ci"),
        usual.index("npm", "build"),
        usual.index("docker", "build"),
        usual.index("docker", "push"),
        usual.index("lambda", "update-function-code", "parakeet-migrate"),
        usual.index("lambda", "publish-version", "parakeet-migrate"),
        usual.index("lambda", "invoke"),
        alias_of_migrate,
        *usual.places("lambda", "update-function-code")[1:],
        *usual.places("deploy", "create-deployment"),
        usual.places("deploy", "get-deployment")[0],
        usual.places("s3", "sync")[0],
    ]
    # Written down in the order that is wanted, save that each function is published before the next is updated.
    assert steps == sorted(steps)
    last_version = usual.places("lambda", "published-version-active")[-1]
    assert last_version < min(usual.places("deploy", "create-deployment"))
    assert max(usual.places("deploy", "create-deployment")) < min(usual.places("deploy", "get-deployment"))


def test_the_image_is_built_from_our_dockerfile_and_pushed_by_commit(usual: Ran) -> None:
    registry = REPOSITORY_URL.partition("/")[0]
    login = usual.index("docker", "login")
    assert usual.calls[login] == ("docker", "login", "--username", "AWS", "--password-stdin", registry)
    assert usual.stdin[login] == "password\n"
    build = usual.calls[usual.index("docker", "build")]
    assert build[:3] == ("docker", "build", "--pull")
    assert build[-5:] == ("--file", "backend/Dockerfile", "--tag", IMAGE, ".")
    assert usual.calls[usual.index("docker", "push")] == ("docker", "push", IMAGE)
    exists = usual.calls[usual.index("ecr", "describe-images")]
    assert exists[3:] == ("--repository-name", "parakeet", "--image-ids", f"imageTag={COMMIT}")


def test_a_second_run_pushes_nothing_and_shifts_nothing(pipeline: Pipeline) -> None:
    pipeline.answer(
        Answer(call=("aws", "ecr", "describe-images"), prints="{}"),
        Answer(call=("aws", "lambda", "get-alias"), prints="7\n"),
    )
    ran = pipeline.run()
    assert ran.failed_command is None, ran.output
    assert [call for call in ran.calls if call[0] == "docker"] == []
    assert ran.places("deploy", "create-deployment") == []
    # Versions are published again, which Lambda answers with the same number, and the migration finds nothing to do.
    assert len(ran.places("lambda", "publish-version")) == 3
    assert len(ran.places("lambda", "invoke")) == 1


def test_a_repository_that_cannot_be_asked_is_not_taken_for_an_empty_one(pipeline: Pipeline) -> None:
    denied = Answer(call=("aws", "ecr", "describe-images"), complains="AccessDeniedException: no", exits=254)
    pipeline.answer(denied)
    ran = pipeline.run()
    assert ran.failed_command == "scripts/release image"
    assert "AccessDeniedException" in ran.output
    assert ran.places("docker", "build") == []


def test_the_migration_runs_as_the_new_version(usual: Ran) -> None:
    invoke = usual.calls[usual.index("lambda", "invoke")]
    for option, value in (("--function-name", "parakeet-migrate"), ("--qualifier", "7"), ("--payload", "{}")):
        assert invoke[invoke.index(option) + 1] == value
    # Longer than the function's own 300 seconds: infrastructure/lambda.tf.
    assert int(invoke[invoke.index("--cli-read-timeout") + 1]) > 300
    assert '{"before": "0001", "after": "0002"}' in usual.output
    moved = usual.calls[usual.index("lambda", "update-alias")]
    assert moved[3:] == ("--function-name", "parakeet-migrate", "--name", "live", "--function-version", "7")


def test_a_failed_migration_stops_the_release_before_any_alias_moves(pipeline: Pipeline) -> None:
    pipeline.answer(
        Answer(call=("aws", "lambda", "invoke"), prints="Unhandled\n", writes='{"errorMessage": "table trades exists"}')
    )
    ran = pipeline.run()
    assert ran.failed_command == "scripts/release migrate"
    assert "table trades exists" in ran.output
    assert ran.places("lambda", "update-alias") == ran.places("deploy", "create-deployment") == []
    assert ran.places("lambda", "update-function-code") == ran.places("parakeet-migrate", "update-function-code")


@pytest.mark.parametrize("command", ["check", "test"])
def test_nothing_is_built_when_a_check_or_a_test_fails(command: str, pipeline: Pipeline) -> None:
    pipeline.answer(Answer(call=(command,), exits=1))
    ran = pipeline.run()
    assert ran.failed_command == f"scripts/{command}"
    assert {call[0] for call in ran.calls} <= {"check", "test"}


def test_codedeploy_is_told_which_alias_goes_from_where_to_where(usual: Ran) -> None:
    for name, place in zip(SERVED, usual.places("deploy", "create-deployment"), strict=True):
        call = usual.calls[place]
        assert call[call.index("--application-name") + 1] == "parakeet"
        assert call[call.index("--deployment-group-name") + 1] == f"parakeet-{name}"
        revision = json.loads(call[call.index("--revision") + 1])
        assert revision["revisionType"] == "AppSpecContent"
        properties = {"Name": f"parakeet-{name}", "Alias": "live", "CurrentVersion": "6", "TargetVersion": "7"}
        assert json.loads(revision["appSpecContent"]["content"]) == {
            "version": 0.0,
            "Resources": [{f"parakeet-{name}": {"Type": "AWS::Lambda::Function", "Properties": properties}}],
        }
    # The build waits until each has succeeded, and the first answer was that it is in progress.
    assert len(usual.places("deploy", "get-deployment")) == 3


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_deployment_that_is_rolled_back_fails_the_build_and_keeps_the_old_page(
    status: str, pipeline: Pipeline
) -> None:
    pipeline.add_page()
    pipeline.answer(Answer(call=("aws", "deploy", "get-deployment"), also=("d-INGEST",), prints=f"{status}\n"))
    ran = pipeline.run()
    assert ran.failed_command == "scripts/release functions"
    assert "not shifted, or shifted back: parakeet-ingest\n" in ran.output
    # The other one was waited for all the same.
    assert "parakeet-data: live is version 7" in ran.output
    assert ran.places("s3") == []


def test_a_deployment_that_cannot_be_asked_for_fails_the_build(pipeline: Pipeline) -> None:
    pipeline.answer(Answer(call=("aws", "deploy", "get-deployment"), complains="AccessDeniedException", exits=254))
    assert pipeline.run().failed_command == "scripts/release functions"


@pytest.mark.parametrize(
    ("call", "step"),
    [
        (("npm", "run", "build"), "build-page"),
        (("docker", "push"), "image"),
        (("aws", "lambda", "publish-version"), "migrate"),
        (("aws", "lambda", "wait", "function-updated-v2", "--function-name", "parakeet-data"), "functions"),
        (("aws", "deploy", "create-deployment"), "functions"),
        (("aws", "s3", "sync"), "page"),
    ],
)
def test_any_call_that_fails_ends_the_release_where_it_is(call: tuple[str, ...], step: str, pipeline: Pipeline) -> None:
    pipeline.add_page()
    pipeline.answer(Answer(call=call, exits=1))
    ran = pipeline.run()
    assert ran.failed_command == f"scripts/release {step}"
    assert ran.calls[-1][: len(call)] == call


def test_a_function_without_a_deployment_group_gets_its_alias_moved_last(pipeline: Pipeline) -> None:
    ran = pipeline.run(CODEDEPLOY_GROUPS='{"data": "parakeet-data"}')
    assert ran.failed_command is None, ran.output
    moved = ran.places("lambda", "update-alias")
    assert [ran.calls[place][4] for place in moved] == ["parakeet-migrate", "parakeet-ingest"]
    assert moved[-1] > max(ran.places("deploy", "get-deployment"))


def test_the_page_is_uploaded_so_that_nobody_ever_sees_half_of_it(usual: Ran) -> None:
    assets, others, stale = (usual.calls[place] for place in usual.places("s3", "sync"))
    config, index = (usual.calls[place] for place in usual.places("s3", "cp"))
    assert assets[3:5] == ("frontend/dist/assets", "s3://parakeet-site/assets")
    assert assets[assets.index("--cache-control") + 1] == "public,max-age=31536000,immutable"
    assert {"assets/*", "index.html", "config.json"} <= set(others)
    assert config[3:5] == ("frontend/dist/config.json", "s3://parakeet-site/config.json")
    assert index[3:5] == ("frontend/dist/index.html", "s3://parakeet-site/index.html")
    assert {call[call.index("--cache-control") + 1] for call in (others, config, index)} == {"no-cache"}
    assert "--delete" in stale
    assert "--delete" not in (*assets, *others)
    invalidation = usual.calls[usual.index("create-invalidation")]
    assert invalidation[3:8] == ("--distribution-id", "E2QWRUHEXAMPLE", "--paths", "/index.html", "/config.json")
    order = [usual.calls.index(call) for call in (assets, others, config, index, invalidation)]
    order += [usual.index("invalidation-completed"), usual.calls.index(stale)]
    assert order == sorted(order)
    assert order[0] > max(usual.places("deploy", "get-deployment"))


def test_the_page_is_told_where_to_sign_in(pipeline: Pipeline) -> None:
    pipeline.add_page()
    pipeline.run()
    assert json.loads((pipeline.checkout / "frontend" / "dist" / "config.json").read_text()) == {
        "issuer": "https://issuer.example.com",
        "client_id": "client",
        "scope": "openid parakeet/read parakeet/write",
        "sign_in_host": None,
    }


def test_without_a_page_or_a_bucket_nothing_is_uploaded(pipeline: Pipeline) -> None:
    without_page = pipeline.run()
    pipeline.add_page()
    without_bucket = pipeline.run(SITE_BUCKET="", DISTRIBUTION_ID="")
    for ran in (without_page, without_bucket):
        assert ran.failed_command is None, ran.output
        assert ran.places("npm") == ran.places("s3") == ran.places("cloudfront") == []


def test_the_files_that_the_pipeline_hands_over_become_a_git_repository(pipeline: Pipeline) -> None:
    # scripts/house_rules.py asks git which files are ours.
    pipeline.run()
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"],  # noqa: S607
        cwd=pipeline.checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "scripts/release" in listed.stdout.split()


@pytest.mark.parametrize("arguments", [(), ("deploy",), ("image", "page")])
def test_an_unknown_step_is_refused(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(  # noqa: S603
        [str(ROOT / "scripts" / "release"), *arguments],
        env={"PATH": "/usr/bin:/bin", "COMMIT": COMMIT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
