"""How long the acquirer waits before it sends an event again."""

from platform_sandbox.webhooks import wait_before


def test_waits_grow_up_to_a_minute_and_no_further() -> None:
    waits = [wait_before(attempt).total_seconds() for attempt in range(1, 200)]

    assert waits[:4] == [0.5, 1, 2, 4]
    assert waits == sorted(waits)
    assert waits[-1] == 60
