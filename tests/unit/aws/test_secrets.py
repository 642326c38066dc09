"""Secrets Manager (moto)."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_secretsmanager import SecretsManagerClient

from aws.errors import SecretUnavailableError
from aws.secrets import fetch_secret

URL = "postgresql://u:very-secret@host/db"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManagerClient]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="us-east-1")


@pytest.mark.parametrize("text", [URL, f'{{"url": "{URL}", "note": "neon"}}'])
def test_the_url_is_read_from_text_or_json(client: SecretsManagerClient, text: str) -> None:
    arn = client.create_secret(Name="database", SecretString=text)["ARN"]
    assert fetch_secret(arn, client=client) == URL


def test_a_missing_secret_is_named(client: SecretsManagerClient) -> None:
    with pytest.raises(SecretUnavailableError, match="ResourceNotFoundException"):
        fetch_secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:nope", client=client)


@pytest.mark.parametrize("text", [f'{{"uri": "{URL}"}}', f'{{"url": "{URL}"'])
def test_a_secret_of_another_form_is_refused_without_being_shown(client: SecretsManagerClient, text: str) -> None:
    arn = client.create_secret(Name="database", SecretString=text)["ARN"]
    with pytest.raises(SecretUnavailableError, match="url") as caught:
        fetch_secret(arn, client=client)
    assert "very-secret" not in str(caught.value)
    assert caught.value.__cause__ is None
