"""Secrets from AWS Secrets Manager."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws.errors import SecretUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


def fetch_secret(arn: str, *, client: SecretsManagerClient | None = None) -> str:
    """Value of a secret: its text, or the field `url` where the text is a JSON object.

    `SecretUnavailableError` says why it cannot be read, and never what it holds.
    """
    import boto3  # noqa: PLC0415  only where a secret is used
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  only where a secret is used

    try:
        manager = client or boto3.client("secretsmanager")
        text = manager.get_secret_value(SecretId=arn)["SecretString"]
    except ClientError as error:
        raise SecretUnavailableError(arn, error.response.get("Error", {}).get("Code", "refused")) from error
    except BotoCoreError as error:
        raise SecretUnavailableError(arn, type(error).__name__) from error
    except KeyError as error:
        raise SecretUnavailableError(arn, "it holds bytes, not text") from error
    return _url_of(arn, text)


def _url_of(arn: str, text: str) -> str:
    if not text.lstrip().startswith("{"):
        return text
    try:
        value = json.loads(text)["url"]
    except (ValueError, KeyError):
        # Without "from": the cause would show the secret's text.
        raise SecretUnavailableError(arn, "its JSON has no field 'url'") from None
    return str(value)
