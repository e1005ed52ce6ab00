"""The control socket of a running stack: one line of JSON asks, one line of JSON answers."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal

from pydantic import BaseModel, ValidationError

from platform_cli.errors import StackError
from platform_cli.stack.home import Home
from platform_cli.stack.status import StackStatus

# Scaling waits until new workers are ready; everything else answers at once.
_ANSWER_TIMEOUT_SECONDS = 120.0


class Request(BaseModel):
    """What is asked of a supervisor."""

    command: Literal["status", "stop", "scale"]
    workers: dict[str, int] = {}


class Answer(BaseModel):
    """What a supervisor says; with an error the request was not carried out, or not wholly."""

    error: str | None = None
    status: StackStatus | None = None


@asynccontextmanager
async def listening(home: Home, answer: Callable[[Request], Awaitable[Answer]]) -> AsyncGenerator[None]:
    """Serve the control socket of `home` until the block ends; only its owner can connect."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            reply = await answer(Request.model_validate_json(await reader.readline()))
        except (StackError, ValidationError) as error:
            reply = Answer(error=str(error))
        try:
            writer.write(reply.model_dump_json().encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            # The asker is gone; what it asked for has been done all the same.
            pass
        finally:
            writer.close()

    # Left over by a supervisor that was killed; we hold the lock, so nobody serves it.
    home.socket.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(serve, home.socket)
    home.socket.chmod(0o600)
    try:
        yield
    finally:
        server.close()
        home.socket.unlink(missing_ok=True)


def ask(home: Home, request: Request) -> Answer:
    """Ask the supervisor of `home`.

    Raises:
        StackError: none is running there, or it does not answer.
    """
    if not home.is_supervised():
        raise StackError(f"no stack of {home.directory} is running: start it with `partner up`")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_ANSWER_TIMEOUT_SECONDS)
            connection.connect(str(home.socket))
            connection.sendall(request.model_dump_json().encode() + b"\n")
            with connection.makefile("rb") as file:
                return Answer.model_validate(json.loads(file.readline()))
    except (OSError, ValueError) as error:
        raise StackError(
            f"the supervisor of {home.directory} does not answer ({error}): see `partner logs supervisor`"
        ) from error
