"""The gateway's command line: `prepare`, and `keys`, which works on the database itself and so needs no key."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from platform_contracts.identifiers import Tenant
from platform_gateway.identity.api_keys import ApiKey
from platform_gateway.identity.auditing import audited
from platform_gateway.identity.callers import Caller, Role, Scope, caller_with_every_scope
from platform_gateway.identity.key_management import create_key, revoke_key, rotate_key
from platform_gateway.identity.key_models import DEFAULT_OVERLAP_SECONDS, MAX_OVERLAP_SECONDS, KeyName
from platform_gateway.problems import Problem
from platform_gateway.settings import GatewaySettings
from platform_gateway.stores import Stores, opened_stores
from platform_runtime.logs import configure_logs
from platform_runtime.settings import LogSettings, load_settings

_PAGE: Final = 200
_HOUR: Final = 3600


def parsed_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of `python -m platform_gateway`; `command` is None to serve."""
    parser = argparse.ArgumentParser(prog="python -m platform_gateway")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="Answer requests; what it does without a command.")
    commands.add_parser("prepare", help="Migrate the gateway's database, once per deployment.")
    keys = commands.add_parser("keys", help="Manage API keys.").add_subparsers(
        dest="keys_command", metavar="COMMAND", required=True
    )
    create = keys.add_parser("create", help="Make a key, and print it this one time.")
    create.add_argument(
        "--tenant", required=True, type=_checked(TypeAdapter(Tenant)), help="Whose key it is; `platform` for staff."
    )
    create.add_argument("--role", required=True, type=Role, choices=list(Role))
    create.add_argument("--scope", action="append", type=Scope, choices=list(Scope), metavar="SCOPE", dest="scopes")
    create.add_argument("--name", type=_checked(TypeAdapter(KeyName)), help="What people call it.")
    create.add_argument("--days", type=_number(1, 3650), help="How long it works; unless given, for good.")
    rotate = keys.add_parser("rotate", help="Make the successor of a key, and print it this one time.")
    rotate.add_argument("key_id", metavar="KEY_ID")
    rotate.add_argument(
        "--overlap-hours",
        type=_number(0, MAX_OVERLAP_SECONDS // _HOUR),
        default=DEFAULT_OVERLAP_SECONDS // _HOUR,
        help="How long the old key still works.",
    )
    revoke = keys.add_parser("revoke", help="End a key for good, within five seconds in every gateway.")
    revoke.add_argument("key_id", metavar="KEY_ID")
    show = keys.add_parser("list", help="Show the keys, without their secrets.")
    show.add_argument("--tenant", type=_checked(TypeAdapter(Tenant)), help="Only those of this account.")
    return parser.parse_args(argv)


async def manage_keys(arguments: argparse.Namespace) -> int:
    """Do what `keys` was asked for and return the exit code; only a new key itself goes to standard output.

    Raises:
        SystemExit: with one line, when a setting is wrong, the database is not prepared, or the key cannot be had.
    """
    settings = load_settings(GatewaySettings)
    configure_logs(load_settings(LogSettings), service="gateway")
    async with opened_stores(settings) as stores:
        try:
            await _COMMANDS[arguments.keys_command](stores, arguments)
        except Problem as problem:
            raise SystemExit(f"{problem.kind.title}. {_reason(problem)}".strip()) from None
    if arguments.keys_command == "create" and not settings.is_authenticated:
        _say("Keys are not asked for yet: everybody is let in until GATEWAY_AUTH=on is set.")
    return 0


async def _create(stores: Stores, arguments: argparse.Namespace) -> None:
    caller = _operator(arguments.tenant)
    details: dict[str, Any] = {}
    days: int | None = arguments.days
    async with audited(stores.audit, caller, "createApiKey", "api-keys", details):
        key, given = await create_key(
            stores.keys,
            caller,
            role=arguments.role,
            scopes=arguments.scopes,
            name=arguments.name,
            expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
        )
        details |= {"keyId": key.key_id, "role": key.role, "scopes": sorted(key.effective_scopes)}
    _say(f"Key {key.key_id} of {key.tenant}, role {key.role}. It is shown this one time:")
    _print(given.text)


async def _rotate(stores: Stores, arguments: argparse.Namespace) -> None:
    caller = await _operator_of(stores, arguments.key_id)
    details: dict[str, Any] = {}
    async with audited(stores.audit, caller, "rotateApiKey", arguments.key_id, details):
        overlap = timedelta(hours=arguments.overlap_hours)
        key, given = await rotate_key(stores.keys, caller, arguments.key_id, overlap=overlap)
        details |= {"successor": key.key_id}
    _say(f"Key {key.key_id} follows {arguments.key_id}, which works for {overlap} more. It is shown this one time:")
    _print(given.text)


async def _revoke(stores: Stores, arguments: argparse.Namespace) -> None:
    caller = await _operator_of(stores, arguments.key_id)
    async with audited(stores.audit, caller, "revokeApiKey", arguments.key_id, {}):
        await revoke_key(stores.keys, caller, arguments.key_id)
    _say(f"Key {arguments.key_id} of {caller.tenant} is revoked; every gateway knows within five seconds.")


async def _list(stores: Stores, arguments: argparse.Namespace) -> None:
    _print(_line("KEY ID", "ACCOUNT", "ROLE", "STATE", "NAME"))
    now = datetime.now(UTC)
    after: tuple[datetime, str] | None = None
    while page := await stores.keys.page(arguments.tenant, after=after, limit=_PAGE):
        for key in page:
            _print(_line(key.key_id, key.tenant, key.role, _state(key, now=now), key.name or ""))
        after = page[-1].created_at, page[-1].key_id


_COMMANDS: Final[dict[str, Callable[[Stores, argparse.Namespace], Coroutine[Any, Any, None]]]] = {
    "create": _create,
    "rotate": _rotate,
    "revoke": _revoke,
    "list": _list,
}


def _operator(tenant: str) -> Caller:
    """Return who sits at this machine: somebody who can read the database needs no leave of ours."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # The user of a container is a number without a name.
        user = str(os.getuid())
    return caller_with_every_scope(tenant, subject=f"local:{user}")


async def _operator_of(stores: Stores, key_id: str) -> Caller:
    key = await stores.keys.get(key_id)
    if key is None:
        raise SystemExit(f"there is no key {key_id}: see `keys list`")
    return _operator(key.tenant)


def _state(key: ApiKey, *, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is None:
        return "works"
    return f"{'works until' if key.works(now=now) else 'expired'} {key.expires_at:%Y-%m-%d %H:%M}"


def _line(key_id: str, tenant: str, role: str, state: str, name: str) -> str:
    return f"{key_id:<18}{tenant:<22}{role:<10}{state:<30}{name}".rstrip()


def _reason(problem: Problem) -> str:
    fields = problem.members.get("errors", [])
    return "; ".join(f"{each['field']}: {each['detail']}" for each in fields) or problem.detail or ""


def _checked(adapter: TypeAdapter[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            return adapter.validate_python(text)
        except ValidationError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {error.errors()[0]['msg']}") from None

    return check


def _number(least: int, most: int) -> Callable[[str], int]:
    def check(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
        return int(text)

    return check


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
