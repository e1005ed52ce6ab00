"""The commands of `partner keys` and their options."""

from typing import Annotated, Literal

import typer

keys_app = typer.Typer(name="keys", help="API keys of the gateway.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="As `partner keys list` shows it.")]


@keys_app.command()
def create(
    *,
    tenant: Annotated[str, typer.Option("--tenant", help="Whose key it is; `platform` for staff.")],
    role: Annotated[Literal["partner", "reviewer", "operator", "admin"], typer.Option("--role")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="Only this of what the role may do. May be repeated.")
    ] = [],  # noqa: B006 - typer reads it and nobody changes it
    name: Annotated[str | None, typer.Option("--name", help="What people call it.")] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="How long it works; unless given, for good.")
    ] = None,
) -> None:
    """Make a key, and print it this one time."""
    options = [f"--tenant={tenant}", f"--role={role}", *(f"--scope={each}" for each in scope)]
    options += [] if name is None else [f"--name={name}"]
    options += [] if days is None else [f"--days={days}"]
    _run("create", *options)


@keys_app.command()
def rotate(
    key_id: KeyId,
    *,
    overlap_hours: Annotated[
        int, typer.Option("--overlap-hours", min=0, help="How long the old key still works.")
    ] = 24,
) -> None:
    """Make the successor of a key, and print it this one time."""
    _run("rotate", key_id, f"--overlap-hours={overlap_hours}")


@keys_app.command()
def revoke(key_id: KeyId) -> None:
    """End a key for good, within five seconds in every gateway."""
    _run("revoke", key_id)


@keys_app.command("list")
def show(*, tenant: Annotated[str | None, typer.Option("--tenant", help="Only those of this account.")] = None) -> None:
    """Show the keys, without their secrets."""
    _run("list", *([] if tenant is None else [f"--tenant={tenant}"]))


def _run(*arguments: str) -> None:
    from platform_cli.commands import keys as command  # noqa: PLC0415

    command.keys(*arguments)
