"""Which details an account can have."""

import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from user_service.domain.accounts import MAX_NAME_CHARACTERS, AccountDetails, InvalidAccountDetailsError

_FORBIDDEN_CATEGORIES: Final = ("Cc", "Cs", "Zl", "Zp")
"""Control characters, halves of characters, line and paragraph separators: none can be written in a mail's greeting."""


def checked_details(*, email: str, name: str) -> AccountDetails:
    """Return the details in the spelling in which they are stored.

    Raises:
        InvalidAccountDetailsError: when the address or the name is none.
    """
    return AccountDetails(email=_address(email), name=_name(name))


def _address(email: str) -> str:
    try:
        # Whether the domain exists today is not asked: an outage of the name service must not refuse a user. Local
        # parts outside ASCII are refused, for most mail servers would refuse them later, when nobody is there to tell.
        checked = validate_email(email.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidAccountDetailsError("email", "is not an e-mail address") from error
    assert checked.ascii_email is not None, "an address without SMTPUTF8 has an ASCII form"
    return checked.ascii_email


def _name(name: str) -> str:
    spelling = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(spelling) <= MAX_NAME_CHARACTERS:
        raise InvalidAccountDetailsError("name", f"must have 1 to {MAX_NAME_CHARACTERS} characters")
    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in spelling):
        raise InvalidAccountDetailsError("name", "must not hold control characters")
    return spelling
