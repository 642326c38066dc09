"""The client of S3, and its one request that must be quick: the GET of an object or a range.

boto3 takes two milliseconds of pure Python for it, in which no other thread runs. So the request is signed by boto3 and
sent by botocore's own session, without what lies between the two: half of that. Whatever goes wrong is left to boto3,
which repeats the request by its rules of retry and gives the error its name. Readers of the cache check their own hash.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.httpsession import URLLib3Session
    from mypy_boto3_s3 import S3Client

#: Within the 30 s that an HTTP API waits: three attempts at a server that never answers.
CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 8
_CONNECTIONS = 32
#: How long the signature is good for; the request follows at once.
_SIGNED_FOR_S = 300


def make_client(*, read_timeout_s: float = READ_TIMEOUT_S, **options: Any) -> S3Client:  # Any: those of boto3.client
    """A client with our limits; nothing is connected."""
    import boto3  # noqa: PLC0415  only where S3 is used
    from botocore.config import Config  # noqa: PLC0415  only where S3 is used

    limits = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": 2},
        signature_version="s3v4",
    )
    return boto3.client("s3", config=limits, **options)


def fetched(client: S3Client, bucket: str, key: str, byte_range: str | None) -> bytes:
    """Bytes of an object, or of a range of it (as of the header ``Range``); errors are those of boto3."""
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415  only where S3 is used
    from botocore.exceptions import HTTPClientError  # noqa: PLC0415  only where S3 is used
    from urllib3.exceptions import HTTPError  # noqa: PLC0415  only where S3 is used

    arguments = {"Bucket": bucket, "Key": key}
    headers = {"Range": byte_range} if byte_range else {}
    url = client.generate_presigned_url("get_object", Params=arguments, ExpiresIn=_SIGNED_FOR_S)
    request = AWSRequest("GET", url, headers=headers, stream_output=True).prepare()
    try:
        answer = _session(_read_timeout_s(client)).send(request)
        body: bytes = answer.raw.read()  # in one piece: `content` joins it of pieces of 64 KB
    except (HTTPClientError, HTTPError):
        pass
    else:
        # The session leaves it to us to see that the connection broke off.
        is_whole = len(body) == int(answer.headers.get("Content-Length", -1))
        if is_whole and answer.status_code == (206 if byte_range else 200):
            return body
    return client.get_object(**arguments, **headers)["Body"].read()  # type: ignore[arg-type]  # strings, all of them


def _read_timeout_s(client: S3Client) -> float:
    timeout_s: float = client.meta.config.read_timeout  # type: ignore[attr-defined]  # set when it is made
    return timeout_s


@cache
def _session(read_timeout_s: float) -> URLLib3Session:
    """Connections of this process."""
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415  only where S3 is used
    from botocore.utils import get_environ_proxies  # noqa: PLC0415  only where S3 is used

    return URLLib3Session(
        timeout=(CONNECT_TIMEOUT_S, read_timeout_s),  # type: ignore[arg-type]  # botocore itself passes both
        max_pool_connections=_CONNECTIONS,
        proxies=get_environ_proxies("https://s3.amazonaws.com"),
    )
