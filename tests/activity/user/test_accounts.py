"""Accounts are created and activated once, however often it is tried."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from platform_contracts.user.failures import UserFailure
from platform_contracts.user.user_onboarding import UserPersonalDetails
from tests.fakes.user import FakeAccounts, UserPorts
from user_service.activities.accounts import ActivateAccount, CreateAccount

ADA = UserPersonalDetails(email="ada@Example.com", name=" Ada ")


def _request(details: UserPersonalDetails = ADA) -> CreateAccount:
    return CreateAccount(tenant="acme", user_id="u-1", details=details)


async def test_account_is_created_with_its_details_in_one_spelling() -> None:
    ports = UserPorts()

    await ActivityEnvironment().run(ports.account_activities().create_account, _request())

    details = ports.accounts.accounts["acme", "u-1"].details
    assert (details.email, details.name) == ("ada@example.com", "Ada")


async def test_repeat_with_the_same_details_in_another_spelling_changes_nothing() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1")

    again = UserPersonalDetails(email="ada@EXAMPLE.com", name="Ada  ")
    await ActivityEnvironment().run(ports.account_activities().create_account, _request(again))

    assert len(ports.accounts.accounts) == 1


async def test_active_account_keeps_its_details() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1")

    other = UserPersonalDetails(email="eve@example.com", name="Ada")
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(ports.account_activities().create_account, _request(other))

    assert raised.value.type == UserFailure.ACCOUNT_DETAILS_DIFFER
    assert raised.value.non_retryable
    assert ports.accounts.accounts["acme", "u-1"].details.email == "ada@example.com"


@pytest.mark.parametrize(
    "details",
    [UserPersonalDetails(email="ada", name="Ada"), UserPersonalDetails(email="ada@example.com", name="")],
    ids=["email", "name"],
)
async def test_details_that_no_account_can_have_fail_for_good_and_are_not_quoted(details: UserPersonalDetails) -> None:
    ports = UserPorts()

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(ports.account_activities().create_account, _request(details))

    assert raised.value.type == UserFailure.INVALID_ACCOUNT_DETAILS
    assert raised.value.non_retryable
    assert raised.value.__cause__ is None
    assert ports.accounts.accounts == {}


async def test_database_that_is_away_is_tried_again() -> None:
    ports = UserPorts(accounts=FakeAccounts(create_away_for=1))

    with pytest.raises(ConnectionError):
        await ActivityEnvironment().run(ports.account_activities().create_account, _request())


async def test_repeated_activation_returns_the_first_moment() -> None:
    ports = UserPorts()
    activities = ports.account_activities()
    await ActivityEnvironment().run(activities.create_account, _request())

    request = ActivateAccount(tenant="acme", user_id="u-1")
    first = await ActivityEnvironment().run(activities.activate_account, request)
    again = await ActivityEnvironment().run(activities.activate_account, request)

    assert again == first
