"""Tokens of an OIDC issuer: whose count, whose do not, and that nobody is told why."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import jwt
import pytest
from temporalio.client import Client

from platform_gateway.identity.oidc_keys import IssuerKeys
from platform_gateway.problems import Problem
from tests.gateway.api import asked_until, opened_api
from tests.gateway.issuer import AUDIENCE, Issuer, SigningKey, bearer, running_issuer

ROUTE = "/v1/operations/acme:user:notification:none"


@pytest.fixture(scope="module")
async def issuer() -> AsyncGenerator[Issuer]:
    async with running_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
async def api(client: Client, issuer: Issuer) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        opened_api(client, issuer_http=http, oidc_issuer=issuer.url, oidc_audience=AUDIENCE) as api,
    ):
        yield api


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _unsigned(issuer: Issuer, algorithm: str) -> dict[str, str]:
    header = {"alg": algorithm, "kid": "k-1", "typ": "at+jwt"}
    return bearer(f"{_part(header)}.{_part(issuer.claims())}.")


def _signed_with_the_public_key(issuer: Issuer) -> dict[str, str]:
    signed = f"{_part({'alg': 'HS256', 'kid': 'k-1', 'typ': 'at+jwt'})}.{_part(issuer.claims())}"
    proof = hmac.digest(issuer.keys[0].public_pem, signed.encode(), hashlib.sha256)
    return bearer(f"{signed}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}")


def _foreign(issuer: Issuer, **headers: Any) -> dict[str, str]:
    mine = SigningKey("k-1")
    return issuer.token(mine, headers={"jwk": mine.jwk} if "jwk" in headers else headers)


NOW = time.time
ATTACKS: dict[str, Callable[[Issuer], dict[str, str]]] = {
    "no signature": lambda issuer: _unsigned(issuer, "none"),
    "no signature, spelt otherwise": lambda issuer: _unsigned(issuer, "NonE"),
    "an empty signature": lambda issuer: _unsigned(issuer, "RS256"),
    "the public key as a shared secret": _signed_with_the_public_key,
    "a key of one's own": _foreign,
    "a key of one's own in jwk": lambda issuer: _foreign(issuer, jwk=...),
    "a key set of one's own in jku": lambda issuer: _foreign(issuer, jku="http://127.0.0.1:9/keys"),
    "a certificate of one's own in x5u": lambda issuer: _foreign(issuer, x5u="http://127.0.0.1:9/cert"),
    "an unknown key": lambda issuer: issuer.token(SigningKey("k-9")),
    "no key id": lambda issuer: issuer.token(headers={"kid": None}),
    "no exp": lambda issuer: issuer.token(exp=None),
    "past": lambda issuer: issuer.token(exp=int(NOW()) - 61),
    "not valid yet": lambda issuer: issuer.token(nbf=int(NOW()) + 120),
    "no aud": lambda issuer: issuer.token(aud=None),
    "another audience": lambda issuer: issuer.token(aud="another-api"),
    "no iss": lambda issuer: issuer.token(iss=None),
    "another issuer": lambda issuer: issuer.token(iss=f"{issuer.url}/"),
    "no sub": lambda issuer: issuer.token(sub=None),
    "an ID token": lambda issuer: issuer.token(headers={"typ": "id_token+jwt"}),
    "no typ": lambda issuer: issuer.token(headers={"typ": None}),
    "a critical extension": lambda issuer: issuer.token(headers={"crit": ["exp2"], "exp2": 1}),
    "no account": lambda issuer: issuer.token(tenant=None),
    "an account that cannot be": lambda issuer: issuer.token(tenant="acme:user"),
    "no role": lambda issuer: issuer.token(role=None),
    "a role of somebody else's": lambda issuer: issuer.token(role="superuser"),
    "no token at all": lambda _issuer: bearer("a.b.c"),
    "a header without end": lambda _issuer: bearer(f"{base64.urlsafe_b64encode(b'[' * 9_000).decode()}.e30.e30"),
    "nothing": lambda _issuer: {},
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_who_is_not_let_in_is_not_told_why(
    api: httpx.AsyncClient, issuer: Issuer, attack: Callable[[Issuer], dict[str, str]]
) -> None:
    let_in = await api.get(ROUTE, headers=issuer.token())
    without = await api.get(ROUTE)

    answer = await api.get(ROUTE, headers=attack(issuer))

    assert let_in.status_code == 404
    assert answer.status_code == 401
    assert {**answer.json(), "traceId": ""} == {**without.json(), "traceId": ""}
    assert answer.headers["www-authenticate"] == without.headers["www-authenticate"]


@pytest.mark.parametrize("headers", [{"typ": "at+jwt"}, {"typ": "JWT"}, {"typ": "application/at+jwt"}])
async def test_token_of_a_type_for_apis_is_taken(
    api: httpx.AsyncClient, issuer: Issuer, headers: dict[str, str]
) -> None:
    answer = await api.get(ROUTE, headers=issuer.token(headers=headers))

    assert answer.status_code == 404


async def test_claims_say_for_which_account_and_as_what(api: httpx.AsyncClient, issuer: Issuer) -> None:
    foreign = await api.get(ROUTE, headers=issuer.token(tenant="zenith", role=["offline_access", "partner"]))
    reviewer = await api.get("/v1/purchases", headers=issuer.token(role="reviewer"))
    several = await api.get("/v1/purchases", headers=issuer.token(role=["reviewer", "partner"]))
    in_a_list = await api.get(ROUTE, headers=issuer.token(aud=["another-api", AUDIENCE]))

    assert (foreign.status_code, reviewer.status_code, in_a_list.status_code) == (404, 403, 404)
    assert reviewer.json()["scope"] == "purchases:read"
    assert several.status_code == 503  # let in; the view itself is not there


async def test_claims_and_types_are_as_the_settings_name_them(client: Client, issuer: Issuer) -> None:
    settings: dict[str, Any] = {
        "oidc_tenant_claim": "https://partner.example/account",
        "oidc_role_claim": "groups",
        "oidc_token_types": "JWT",
        "oidc_jwks_url": f"{issuer.url}/keys",
    }
    claims: dict[str, Any] = {
        "https://partner.example/account": "acme",
        "groups": ["partner"],
        "tenant": None,
        "role": None,
    }
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        opened_api(client, issuer_http=http, oidc_issuer=issuer.url, oidc_audience=AUDIENCE, **settings) as api,
    ):
        as_set = await api.get(ROUTE, headers=issuer.token(headers={"typ": "JWT"}, **claims))
        otherwise = await api.get(ROUTE, headers=issuer.token(headers={"typ": "JWT"}))
        of_another_type = await api.get(ROUTE, headers=issuer.token(**claims))

    assert (as_set.status_code, otherwise.status_code, of_another_type.status_code) == (404, 401, 401)


async def test_key_of_another_algorithm_is_not_used(client: Client) -> None:
    async with (
        running_issuer() as issuer,
        httpx.AsyncClient(trust_env=False) as http,
        opened_api(client, issuer_http=http, oidc_issuer=issuer.url, oidc_audience=AUDIENCE) as api,
    ):
        (key,) = issuer.keys
        header = {"kid": key.key_id, "typ": "at+jwt"}
        other = jwt.encode(issuer.claims(), key.private, algorithm="PS256", headers=header)

        answer = await api.get(ROUTE, headers=bearer(other))

    assert answer.status_code == 401


async def test_token_of_a_retired_key_stops_working(client: Client) -> None:
    async with (
        running_issuer() as issuer,
        httpx.AsyncClient(trust_env=False) as http,
        opened_api(
            client, issuer_http=http, oidc_issuer=issuer.url, oidc_audience=AUDIENCE, oidc_jwks_seconds=1
        ) as api,
    ):
        token = issuer.token()
        before = await api.get(ROUTE, headers=token)
        issuer.keys = [SigningKey("k-2")]

        answer = await asked_until(lambda: api.get(ROUTE, headers=token), lambda answer: answer.status_code == 401)
        without = await api.get(ROUTE)

    assert before.status_code == 404
    assert {**answer.json(), "traceId": ""} == {**without.json(), "traceId": ""}


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def test_new_key_counts_and_a_retired_one_stops_to() -> None:
    clock = Clock()
    async with running_issuer() as issuer, httpx.AsyncClient(trust_env=False) as http:
        keys = IssuerKeys(http, issuer=issuer.url, url=None, fresh_seconds=300, clock=clock)
        first = await keys.get("k-1")
        clock.now += 61
        issuer.keys = [SigningKey("k-2")]

        second, retired = await keys.get("k-2"), await keys.get("k-1")

    assert first is not None
    assert second is not None
    assert retired is None


async def test_retired_key_that_nobody_has_replaced_counts_no_longer_than_the_setting() -> None:
    clock = Clock()
    async with running_issuer() as issuer, httpx.AsyncClient(trust_env=False) as http:
        keys = IssuerKeys(http, issuer=issuer.url, url=None, fresh_seconds=300, clock=clock)
        await keys.get("k-1")
        issuer.keys = [SigningKey("k-2")]

        clock.now += 299
        meanwhile = await keys.get("k-1")
        clock.now += 1
        afterwards = await keys.get("k-1")

    assert meanwhile is not None
    assert afterwards is None


async def test_made_up_key_ids_ask_the_issuer_once_a_minute() -> None:
    clock = Clock()
    async with running_issuer() as issuer, httpx.AsyncClient(trust_env=False) as http:
        keys = IssuerKeys(http, issuer=issuer.url, url=f"{issuer.url}/keys", fresh_seconds=300, clock=clock)
        found = [await keys.get(f"made-up-{number}") for number in range(50)]
        in_the_first_minute = issuer.fetches
        clock.now += 60
        found += [await keys.get(f"made-up-{number}") for number in range(50)]

    assert found == [None] * 100
    assert (in_the_first_minute, issuer.fetches) == (1, 2)


async def test_while_the_issuer_is_away_known_keys_go_on_and_others_have_to_wait() -> None:
    clock = Clock()
    async with running_issuer() as issuer, httpx.AsyncClient(trust_env=False) as http:
        keys = IssuerKeys(http, issuer=issuer.url, url=None, fresh_seconds=300, clock=clock)
        await keys.get("k-1")
        issuer.is_away = True
        clock.now += 400

        known = await keys.get("k-1")
        with pytest.raises(Problem) as unknown:
            await keys.get("k-2")
        issuer.is_away = False
        issuer.keys.append(SigningKey("k-2"))
        clock.now += 5
        back = await keys.get("k-2")
        issuer.is_away = True
        clock.now += 90_000
        with pytest.raises(Problem) as after_a_day:
            await keys.get("k-1")

    assert known is not None
    assert back is not None
    assert {unknown.value.kind.type, after_a_day.value.kind.type} == {"identity_unavailable"}


async def test_token_is_503_when_its_key_cannot_be_had(client: Client) -> None:
    async with (
        running_issuer() as issuer,
        httpx.AsyncClient(trust_env=False) as http,
        opened_api(client, issuer_http=http, oidc_issuer=issuer.url, oidc_audience=AUDIENCE) as api,
    ):
        issuer.is_away = True
        answer = await api.get(ROUTE, headers=issuer.token())

    assert answer.status_code == 503
    assert answer.json()["type"] == "identity_unavailable"
    assert int(answer.headers["retry-after"]) > 0
