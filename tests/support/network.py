"""Ports for processes that a test starts."""

import os
import random
import socket

_GIVEN: set[int] = set()
_TEST_PROCESSES = 10
"""How many processes of one test run have ports of their own."""


def free_row(count: int) -> int:
    """Return the first of so many ports in a row that nobody listens on, and that are given to nobody else here.

    They are below those that a system hands out by itself, so no connection takes one of them meanwhile; and each
    process of a test run has a range of its own, so none takes what another has found and not bound yet.
    """
    share = 20_000 // _TEST_PROCESSES
    lowest = 10_000 + share * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _TEST_PROCESSES)
    while True:
        first = random.randrange(lowest, lowest + share - count)
        row = set(range(first, first + count))
        if row.isdisjoint(_GIVEN) and all(_can_be_bound(port) for port in row):
            _GIVEN.update(row)
            return first


def free_port() -> int:
    """Return one such port."""
    return free_row(1)


def _can_be_bound(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
