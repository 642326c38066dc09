"""An OpenID Connect issuer on this machine: its keys by HTTP, and tokens of every kind, good and bad."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AUDIENCE = "parakeet-test"
_KEY_ID = "key-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Signs tokens (RS256, RFC 7515) for `AUDIENCE`."""

    url: str
    key: rsa.RSAPrivateKey

    def token(self, *scopes: str, lifetime_s: int = 600, **claims: object) -> str:
        """A token with these scopes; a negative lifetime makes one that has expired."""
        now = int(time.time())
        body = {"iss": self.url, "aud": AUDIENCE, "sub": "owner", "iat": now - 1_000, "exp": now + lifetime_s}
        return _signed(self.key, body | {"scope": " ".join(scopes)} | claims)

    def forged(self, *scopes: str) -> str:
        """A token that says the same, signed with a key that is not the issuer's."""
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return Issuer(url=self.url, key=other).token(*scopes)

    def tampered(self, *scopes: str, wanted: str) -> str:
        """A good token whose scopes were changed to `wanted` after it was signed."""
        header, body, signature = self.token(*scopes).split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return ".".join((header, _part(claims | {"scope": wanted}), signature))


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """An issuer that answers discovery and key requests while the body runs."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    documents: dict[str, dict[str, Any]] = {}  # Any: JSON

    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = documents.get(self.path)
            body = json.dumps(document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Write nothing to standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    url = f"http://127.0.0.1:{server.server_port}"
    documents["/.well-known/openid-configuration"] = {"issuer": url, "jwks_uri": f"{url}/keys"}
    documents["/keys"] = {"keys": [_public(key)]}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Issuer(url=url, key=key)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _signed(key: rsa.RSAPrivateKey, claims: Mapping[str, object]) -> str:
    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT', 'kid': _KEY_ID})}.{_part(claims)}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_encoded(signature)}"


def _part(value: Mapping[str, object]) -> str:
    return _encoded(json.dumps(value).encode())


def _public(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
    exponent = numbers.e.to_bytes(3, "big")
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": _KEY_ID,
        "n": _encoded(modulus),
        "e": _encoded(exponent),
    }


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
