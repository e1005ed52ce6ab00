from platform_cli.stack.backoff import GIVE_UP_AFTER, LONGEST_SECONDS, QUICK_SECONDS, Backoff


def test_pauses_grow_until_it_gives_up() -> None:
    backoff = Backoff()

    pauses = [backoff.pause_after(lived_seconds=0) for _ in range(GIVE_UP_AFTER)]

    *waits, last = pauses
    assert last is None
    growing = [wait for wait in waits if wait is not None]
    assert growing == sorted(growing)
    assert len(set(growing)) == GIVE_UP_AFTER - 1
    assert growing[-1] <= LONGEST_SECONDS


def test_process_that_did_its_work_for_a_while_starts_a_new_series() -> None:
    backoff = Backoff()
    first = backoff.pause_after(lived_seconds=0)
    backoff.pause_after(lived_seconds=0)

    after_a_long_life = backoff.pause_after(lived_seconds=QUICK_SECONDS)

    assert after_a_long_life == first


def test_process_that_crashes_now_and_then_is_started_for_ever() -> None:
    backoff = Backoff()

    pauses = [backoff.pause_after(lived_seconds=QUICK_SECONDS) for _ in range(100)]

    assert None not in pauses
