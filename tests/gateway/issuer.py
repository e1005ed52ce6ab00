"""An OIDC issuer over HTTP, whose keys and tokens a test makes as it likes."""

import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platform_runtime.internal_app import bind, serving

AUDIENCE = "partner-api"


@dataclass
class SigningKey:
    """A key pair, with its id."""

    key_id: str
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half, as a key set has it."""
        jwk: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {**jwk, "kid": self.key_id, "use": "sig", "alg": "RS256"}

    @property
    def public_pem(self) -> bytes:
        """The public half, as attackers sign with it."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


@dataclass
class Issuer:
    """What the issuer shows, how it behaves, and what it was asked."""

    url: str = ""
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey("k-1")])
    is_away: bool = False
    fetches: int = 0

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good token, changed; a claim that is None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ada",
            "exp": now + 300,
            "iat": now,
            "tenant": "acme",
            "role": "partner",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self, key: SigningKey | None = None, *, headers: Mapping[str, Any] | None = None, **claims: Any
    ) -> dict[str, str]:
        """Return a token as a header; a header parameter that is None is left out."""
        signing = key or self.keys[0]
        header = {"kid": signing.key_id, "typ": "at+jwt", **(headers or {})}
        # The library puts a `typ` of its own into a header that has none, but for the empty one.
        header = {name: value for name, value in header.items() if value is not None or name == "typ"}
        encoded = jwt.encode(self.claims(**claims), signing.private, algorithm="RS256", headers=header)
        return bearer(encoded)

    async def configuration(self, _request: Request) -> Response:
        """Answer where the keys are."""
        return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

    async def key_set(self, _request: Request) -> Response:
        """Answer the public keys, unless it is away."""
        self.fetches += 1
        if self.is_away:
            return Response(status_code=503)
        return JSONResponse({"keys": [key.jwk for key in self.keys]})


def bearer(token: str) -> dict[str, str]:
    """Return a token as a header."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def running_issuer() -> AsyncGenerator[Issuer]:
    """Serve an issuer while the block runs."""
    issuer = Issuer()
    listener = bind("127.0.0.1", 0, variable="")
    issuer.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    routes = [
        Route("/.well-known/openid-configuration", issuer.configuration),
        Route("/keys", issuer.key_set),
    ]
    async with serving(Starlette(routes=routes), listener):
        yield issuer
