"""What CloudFront does for the site, on this machine: the bucket's files and, under /api, the gateway, on one origin.

As infrastructure/frontend.tf says it: a path without a file's ending is the page, /api/* goes to the HTTP API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import PurePosixPath
from typing import ClassVar

from botocore.exceptions import ClientError

from support.local_server import served
from support.stack import Stack

_DROPPED = {"connection", "content-length", "host", "transfer-encoding", "date", "server", "content-encoding"}


class Edge(BaseHTTPRequestHandler):
    """Answers for one stack; `running_edge` says which."""

    stack: ClassVar[Stack]
    policy: ClassVar[str]

    def do_GET(self) -> None:
        """A file of the site, or the API."""
        if self.path.startswith("/api/"):
            self._forward()
        else:
            self._file(self.path.partition("?")[0])

    def do_POST(self) -> None:
        """The API."""
        self._forward()

    def log_message(self, *_arguments: object) -> None:
        """Write nothing to standard error."""

    def _forward(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
        with self.stack.http() as http:
            path = self.path.removeprefix("/api/v1")
            found = http.request(self.command, path, headers=headers, content=self.rfile.read(length))
        kept = {name: value for name, value in found.headers.items() if name.lower() not in _DROPPED}
        self._answer(found.status_code, found.content, kept)

    def _file(self, path: str) -> None:
        key = path.lstrip("/") if PurePosixPath(path).suffix else "index.html"
        try:
            found = self.stack.client("s3").get_object(Bucket=self.stack.outputs["site_bucket"], Key=key)
        except ClientError:
            self._answer(404, b"", {})
        else:
            headers = {"Content-Type": found["ContentType"], "Content-Security-Policy": self.policy}
            self._answer(200, found["Body"].read(), headers)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in (dict(headers) | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running_edge(stack: Stack) -> Iterator[str]:
    """URL of the site and its API."""
    with served(type("StackEdge", (Edge,), {"stack": stack, "policy": content_security_policy(stack)})) as url:
        yield url


def content_security_policy(stack: Stack) -> str:
    """What CloudFront tells the browser that the page may do."""
    cloudfront = stack.client("cloudfront")
    distribution = cloudfront.get_distribution_config(Id=stack.outputs["distribution_id"])["DistributionConfig"]
    policy = distribution["DefaultCacheBehavior"]["ResponseHeadersPolicyId"]
    found = cloudfront.get_response_headers_policy(Id=policy)["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
    text: str = found["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    return text
