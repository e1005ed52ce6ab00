"""Keys across real processes: a revoked one dies in every gateway, and the command line makes ones that work."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.gateway.api import asked_until
from tests.gateway.gateway_process import running_gateway, start_command
from tests.gateway.issuer import AUDIENCE, running_issuer
from tests.support.network import free_port

REVOKED_WITHIN_SECONDS = 5
WAIT_SECONDS = 50
PATH = "/v1/api-keys"


def _environment(directory: Path, database_url: str | None = None) -> dict[str, str]:
    return {
        "GATEWAY_AUTH": "on",
        "GATEWAY_DATABASE_URL": database_url or f"sqlite:///{directory}/gateway.sqlite3",
        # What is asked here needs no Temporal.
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
    }


async def _keys(
    directory: Path, *arguments: str, module: str = "platform_gateway", database_url: str | None = None
) -> tuple[int | None, str, str]:
    """Run `keys` and return its exit code, what it printed, and what it said beside."""
    ours = ("GATEWAY_", "PARTNER_", "TEMPORAL_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module, "keys", *arguments),
        cwd=directory,
        env={**inherited, **_environment(directory, database_url)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(WAIT_SECONDS):
        printed, said = await process.communicate()
    return process.returncode, printed.decode(), said.decode()


async def _refused_at(gateway: httpx.AsyncClient, key: str) -> float:
    """Return when the key was refused for the first time; from then on it always is."""
    headers = {"X-API-Key": key}
    await asked_until(
        lambda: gateway.get(PATH, headers=headers),
        lambda answer: answer.status_code != 200,
        within_seconds=WAIT_SECONDS,
    )
    refused_at = time.monotonic()
    later = [(await gateway.get(PATH, headers=headers)).status_code for _ in range(20)]
    assert set(later) == {401}
    return refused_at


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/gateway.sqlite3"


@pytest.mark.timeout(120)
async def test_revoked_key_dies_in_two_gateways_within_five_seconds(tmp_path: Path, database_url: str) -> None:
    environment = _environment(tmp_path, database_url)
    directories = [tmp_path / name for name in ("one", "two")]
    for directory in directories:
        directory.mkdir()
    async with (
        running_gateway(directories[0], **environment) as first,
        running_gateway(directories[1], **environment) as second,
        httpx.AsyncClient(base_url=first.url, trust_env=False, timeout=WAIT_SECONDS) as one,
        httpx.AsyncClient(base_url=second.url, trust_env=False, timeout=WAIT_SECONDS) as two,
    ):
        _, admin, _ = await _keys(tmp_path, "create", "--tenant", "acme", "--role", "admin", database_url=database_url)
        headers = {"X-API-Key": admin.strip()}
        made = (await one.post(PATH, json={"role": "admin"}, headers=headers)).json()
        let_in = [
            (await gateway.get(PATH, headers={"X-API-Key": made["apiKey"]})).status_code for gateway in (one, two)
        ]
        refused = [asyncio.create_task(_refused_at(gateway, made["apiKey"])) for gateway in (one, two)]

        asked_at = time.monotonic()
        revoked = await one.post(f"{PATH}/{made['keyId']}/revoke", headers=headers)
        refused_after = [await each - asked_at for each in refused]
        others = [(await gateway.get(PATH, headers=headers)).status_code for gateway in (one, two)]

    assert let_in == [200, 200]
    assert revoked.status_code == 200
    assert max(refused_after) < REVOKED_WITHIN_SECONDS
    assert others == [200, 200]


async def test_unprepared_database_is_refused_in_one_line(tmp_path: Path) -> None:
    process = await start_command(tmp_path, **_environment(tmp_path), GATEWAY_PORT="0", GATEWAY_INTERNAL_PORT="0")
    async with asyncio.timeout(WAIT_SECONDS):
        code = await process.wait()

    assert code == 1
    assert (tmp_path / "log").read_text().splitlines() == [
        "GATEWAY_DATABASE_URL: the database has no schema yet: run `python -m platform_gateway prepare`"
    ]


@pytest.mark.parametrize("module", ["platform_gateway", "platform_cli"])
async def test_key_of_the_command_line_is_made_rotated_and_revoked(tmp_path: Path, module: str) -> None:
    prepared = await start_command(tmp_path, "prepare", **_environment(tmp_path))
    assert await prepared.wait() == 0

    code, made, _ = await _keys(
        tmp_path,
        "create",
        "--tenant",
        "acme",
        "--role",
        "partner",
        "--scope",
        "users:read",
        "--name",
        "till",
        module=module,
    )
    key_id = made.split("_")[2]
    _, second, _ = await _keys(tmp_path, "rotate", key_id, "--overlap-hours", "1", module=module)
    again, nothing, why = await _keys(tmp_path, "rotate", key_id, module=module)
    await _keys(tmp_path, "revoke", key_id, module=module)
    _, listed, _ = await _keys(tmp_path, "list", "--tenant", "acme", module=module)

    assert code == 0
    assert len(made.splitlines()) == len(second.splitlines()) == 1
    assert (again, nothing) == (1, "")
    assert "cannot be rotated now" in why
    states = {line.split()[0]: line for line in listed.splitlines()[1:]}
    assert states.keys() == {key_id, second.split("_")[2]}
    assert "revoked" in states[key_id]
    assert "till" in states[key_id]
    assert made.strip()[25:] not in listed


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--tenant", "Acme", "--role", "partner"),
        ("create", "--tenant", "acme", "--role", "owner"),
        ("create", "--tenant", "acme", "--role", "reviewer", "--scope", "users:write"),
        ("create", "--tenant", "acme", "--role", "partner", "--days", "0"),
        ("revoke", "0123456789abcdef"),
    ],
)
async def test_what_cannot_be_had_prints_no_key(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    prepared = await start_command(tmp_path, "prepare", **_environment(tmp_path))
    assert await prepared.wait() == 0

    code, printed, said = await _keys(tmp_path, *arguments)

    assert code != 0
    assert printed == ""
    assert said


async def test_process_takes_tokens_of_the_issuer_that_its_settings_name(tmp_path: Path) -> None:
    async with running_issuer() as issuer:
        environment = _environment(tmp_path) | {
            "GATEWAY_OIDC_ISSUER": issuer.url,
            "GATEWAY_OIDC_AUDIENCE": AUDIENCE,
            # What the machine has set is not for this issuer.
            "NO_PROXY": "127.0.0.1",
        }
        async with (
            running_gateway(tmp_path, **environment) as gateway,
            httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=WAIT_SECONDS) as api,
        ):
            let_in = await api.get(PATH, headers=issuer.token(role="admin"))
            refused = await api.get(PATH, headers=issuer.token(role="admin", aud="another-api"))

    assert (let_in.status_code, refused.status_code) == (200, 401)


async def test_process_says_whether_it_asks_for_keys(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, **_environment(tmp_path)) as gateway:
        lines = [json.loads(line) for line in gateway.log.read_text().splitlines() if line.startswith("{")]

    (serves,) = [line for line in lines if line["event"] == "gateway.serves"]
    assert serves["authenticated"] is True
