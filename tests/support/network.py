"""Ports for processes that a test starts."""

import random
import socket


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_GIVEN: set[int] = set()


def free_row(count: int) -> int:
    """Return the first of so many ports in a row that nobody listens on, and that are given to nobody else here.

    They are below those that a system hands out by itself, so no connection takes one of them meanwhile.
    """
    while True:
        first = random.randrange(10_000, 30_000)
        row = set(range(first, first + count))
        if row.isdisjoint(_GIVEN) and all(_can_be_bound(port) for port in row):
            _GIVEN.update(row)
            return first


def _can_be_bound(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
