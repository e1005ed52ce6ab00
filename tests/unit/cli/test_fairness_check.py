"""How the doctor judges the order in which two tenants had their turn."""

from platform_cli.commands.fairness_check import turns_problem

LONG = [f"probe:first:{number}" for number in range(6)]
SHORT = [f"probe:second:{number}" for number in range(2)]


def test_one_after_the_other_is_fair() -> None:
    problem = turns_problem([LONG[0], SHORT[0], LONG[1], SHORT[1], *LONG[2:]])

    assert problem is None


def test_first_in_first_out_is_not() -> None:
    problem = turns_problem([*LONG, *SHORT])

    assert problem is not None
    assert "served 8th of 8" in problem
