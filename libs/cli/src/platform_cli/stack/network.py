"""Addresses: which are our own machine's, which answer, which are free."""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from platform_cli.errors import StackError

_CONNECT_TIMEOUT_SECONDS = 2.0
_PROBE_TIMEOUT_SECONDS = 2.0
_HTTP_OK = 200


@dataclass(frozen=True)
class Address:
    """A TCP address."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine and nobody else's business."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def bind_host(self) -> str:
        """The host to listen on: a name stands for the IPv4 address, which every program of the stack understands."""
        try:
            return str(ip_address(self.host))
        except ValueError:
            return "127.0.0.1"

    def answers(self) -> bool:
        """Return whether something accepts connections there, within two seconds."""
        try:
            with socket.create_connection((self.host, self.port), timeout=_CONNECT_TIMEOUT_SECONDS):
                return True
        except OSError:
            return False

    def is_free(self) -> bool:
        """Return whether a process of ours could listen there."""
        family = socket.AF_INET6 if ":" in self.bind_host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as candidate:
            # As servers do it: connections of an earlier run that linger do not count as taken.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((self.bind_host, self.port))
            except OSError:
                return False
        # macOS lets a second socket bind to 127.0.0.1 while somebody listens on every address.
        return not Address(self.bind_host, self.port).answers()


def parse_address(text: str, *, variable: str, default_port: int | None = None) -> Address:
    """Return the address of `host:port` or of a URL.

    Raises:
        StackError: it has no host, or no port and there is no default; the text names the variable.
    """
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, port = parts.hostname, parts.port or default_port
    except ValueError:
        host, port = None, None
    if not host or port is None:
        raise StackError(f"{variable}={text} has no host and port")
    return Address(host, port)


def reachable(host: str) -> str:
    """Return where to reach a process that listens on `host`, which may mean every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here


async def http_problem(url: str) -> str | None:
    """Return why a GET of `url` does not answer 200, None when it does."""
    try:
        # trust_env: a proxy of the user's environment must not be asked for our own machine. verify: plain HTTP needs
        # no certificates, and loading them would take longer than the request.
        async with httpx.AsyncClient(timeout=_PROBE_TIMEOUT_SECONDS, trust_env=False, verify=False) as client:  # noqa: S501
            response = await client.get(url)
    except httpx.HTTPError as error:
        return f"{url} does not answer ({type(error).__name__})"
    if response.status_code == _HTTP_OK:
        return None
    return f"{url} answers {response.status_code}: {' '.join(response.text.split())[:300]}"


async def connect_problem(address: Address) -> str | None:
    """Return why nothing accepts connections at the address, None when something does."""
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError) as error:
        return f"{address} does not answer ({type(error).__name__})"
    writer.close()
    return None
