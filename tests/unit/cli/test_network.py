import socket

import pytest

from platform_cli.errors import StackError
from platform_cli.stack.network import Address, parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost:7233", Address("localhost", 7233)),
        ("http://127.0.0.1:4317/v1/traces", Address("127.0.0.1", 4317)),
        ("smtp+starttls://user:secret@mail.example.com", Address("mail.example.com", 25)),
        ("[::1]:7233", Address("::1", 7233)),
    ],
)
def test_address_is_read_from_host_and_port_or_a_url(text: str, expected: Address) -> None:
    assert parse_address(text, variable="X", default_port=25) == expected


@pytest.mark.parametrize("text", ["", ":7233", "host:port", "localhost"])
def test_text_without_host_or_port_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(StackError, match="TEMPORAL_ADDRESS="):
        parse_address(text, variable="TEMPORAL_ADDRESS")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.2", True), ("::1", True), ("0.0.0.0", False), ("10.0.0.1", False), ("box", False)],
)
def test_only_this_machine_is_loopback(host: str, expected: bool) -> None:
    assert Address(host, 1).is_loopback is expected


def test_port_is_taken_while_somebody_listens_and_free_afterwards() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address("localhost", server.getsockname()[1])

        while_listening = (address.is_free(), address.answers())

    assert while_listening == (False, True)
    assert (address.is_free(), address.answers()) == (True, False)
