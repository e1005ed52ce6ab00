"""Which details an account can have."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user_service.domain.account_rules import checked_details
from user_service.domain.accounts import AccountDetails, InvalidAccountDetailsError


def test_details_are_kept_in_one_spelling() -> None:
    details = checked_details(email=" Ada.Lovelace@EXAMPLE.com ", name="  Ada Lovelace ")

    assert details == AccountDetails(email="Ada.Lovelace@example.com", name="Ada Lovelace")


def test_domain_in_another_script_is_kept_as_a_mail_server_takes_it() -> None:
    details = checked_details(email="ada@bücher.example.com", name="Ada")

    assert details.email == "ada@xn--bcher-kva.example.com"


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@localhost",
        "ada@exa mple.com",
        "ada@example.com\r\nBcc: all@example.com",
        "ada@example.com, bob@example.com",
        "Ada <ada@example.com>",
        "ädä@example.com",
        f"{'a' * 65}@example.com",
        "ada@[127.0.0.1]",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(InvalidAccountDetailsError) as raised:
        checked_details(email=email, name="Ada")

    assert raised.value.field == "email"


def test_failure_does_not_quote_the_address() -> None:
    with pytest.raises(InvalidAccountDetailsError) as raised:
        checked_details(email="ada-at-example.com", name="Ada")

    assert "ada" not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["", "   ", "a" * 201, "Ada\x00", "Ada\nLovelace", "Ada\x1b[0m", "Ada\u2028Lovelace", "Ada\x85Lovelace"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidAccountDetailsError) as raised:
        checked_details(email="ada@example.com", name=name)

    assert raised.value.field == "name"


@pytest.mark.parametrize("name", ["A", "a" * 200, "李小龍", "Zoë O'Brien-Smith", "👩‍👩‍👧", "مريم"])
def test_names_of_every_script_are_taken(name: str) -> None:
    details = checked_details(email="ada@example.com", name=name)

    assert details.name == unicodedata.normalize("NFC", name)


@given(st.text(max_size=250))
def test_name_is_either_refused_or_safe_to_write_and_unchanged_by_a_second_check(name: str) -> None:
    try:
        details = checked_details(email="ada@example.com", name=name)
    except InvalidAccountDetailsError:
        return

    assert details.name.isprintable() or not any(character in details.name for character in "\r\n\0")
    assert details.name.encode().decode() == details.name
    assert checked_details(email=details.email, name=details.name) == details
