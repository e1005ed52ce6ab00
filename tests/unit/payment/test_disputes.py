"""What a provider says of a dispute means the same in whatever order it is told."""

from itertools import permutations

import pytest

from payment_service.domain.disputes import DisputeEffect, DisputeStatus, effect_of

OPENED, WON, LOST = DisputeStatus.OPENED, DisputeStatus.WON, DisputeStatus.LOST


@pytest.mark.parametrize(
    ("known", "told", "effect"),
    [
        (None, OPENED, DisputeEffect.TAKE),
        (None, LOST, DisputeEffect.TAKE),
        (None, WON, DisputeEffect.NOTE),
        (OPENED, WON, DisputeEffect.GIVE_BACK),
        (OPENED, LOST, DisputeEffect.CLOSE),
        (OPENED, OPENED, DisputeEffect.NOTHING),
        (WON, WON, DisputeEffect.NOTHING),
        (WON, OPENED, DisputeEffect.NOTHING),
        (LOST, OPENED, DisputeEffect.NOTHING),
        (LOST, LOST, DisputeEffect.NOTHING),
        (WON, LOST, DisputeEffect.CONTRADICTION),
        (LOST, WON, DisputeEffect.CONTRADICTION),
    ],
)
def test_each_notice_has_its_effect(known: DisputeStatus | None, told: DisputeStatus, effect: DisputeEffect) -> None:
    found = effect_of(told, known=known)

    assert found is effect


@pytest.mark.parametrize("end", [WON, LOST])
def test_order_and_repeats_do_not_matter(end: DisputeStatus) -> None:
    taken: set[int] = set()
    for told in permutations([OPENED, OPENED, end, end]):
        known: DisputeStatus | None = None
        balance = 0
        for status in told:
            effect = effect_of(status, known=known)
            balance += {DisputeEffect.TAKE: 1, DisputeEffect.GIVE_BACK: -1}.get(effect, 0)
            known = known if effect is DisputeEffect.NOTHING else status
        taken.add(balance)

    assert taken == ({0} if end is WON else {1})
