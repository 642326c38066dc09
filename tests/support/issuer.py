"""An OpenID Connect issuer on this machine: keys, a sign-in page with PKCE, and tokens of every kind, good and bad."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from support.local_server import served

AUDIENCE = "parakeet-test"
_KEY_ID = "key-1"
_PAGE = '<!doctype html><title>Sign in</title><form action="/approve">{fields}<button>Sign in as owner</button></form>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Signs tokens (RS256, RFC 7515) for `AUDIENCE`."""

    url: str
    key: rsa.RSAPrivateKey
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

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

    def documents(self) -> dict[str, dict[str, Any]]:  # Any: JSON
        """Discovery and keys, by path."""
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            },
            "/keys": {"keys": [_public(self.key)]},
        }

    def approved(self, asked: dict[str, str]) -> str:
        """Where the browser goes once its owner has agreed: back, with a code for this request."""
        code = token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked.get('state', '')})}"

    def exchanged(self, form: dict[str, str]) -> dict[str, Any] | None:  # Any: JSON
        """Tokens for a code and the verifier of its challenge (RFC 7636); None when either is wrong."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = _encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return None
        return {
            "access_token": self.token(*asked["scope"].split()),
            "id_token": self.token(aud=asked["client_id"], nonce=asked.get("nonce")),
            "token_type": "Bearer",
            "expires_in": 600,
            "scope": asked["scope"],
        }


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """An issuer that answers while the body runs."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issuers: list[Issuer] = []

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, asked = urlsplit(self.path).path, _fields(urlsplit(self.path).query)
            documents = issuers[0].documents()
            if path == "/authorize":
                inputs = "".join(f'<input type="hidden" name="{name}" value="{asked[name]}">' for name in asked)
                self.answer(200, _PAGE.format(fields=inputs).encode(), {"Content-Type": "text/html"})
            elif path == "/approve":
                self.answer(302, b"", {"Location": issuers[0].approved(asked)})
            else:
                self.answer(200 if path in documents else 404, json.dumps(documents.get(path)).encode())

        def do_POST(self) -> None:
            form = _fields(self.rfile.read(int(self.headers["Content-Length"])).decode())
            tokens = issuers[0].exchanged(form)
            self.answer(400 if tokens is None else 200, json.dumps(tokens or {"error": "invalid_grant"}).encode())

        def do_OPTIONS(self) -> None:
            self.answer(204, b"")

        def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            shared = {"Content-Type": "application/json", "Content-Length": str(len(body))}
            shared |= {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
            for name, value in (shared | dict(headers or {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Write nothing to standard error."""

    with served(Pages) as url:
        issuers.append(Issuer(url=url, key=key))
        yield issuers[0]


def _fields(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


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
