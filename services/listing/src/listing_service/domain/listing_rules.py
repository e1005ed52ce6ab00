"""What can be a draft, and which draft a reviewer need not look at, because it cannot be published as it is."""

import re
import unicodedata
from typing import Final

from listing_service.domain.listings import InvalidListingError, ListingDetails
from platform_contracts.currencies import EXPONENTS
from platform_contracts.money import Money

MAX_TITLE_CHARACTERS: Final = 200

MAX_PRICE_MINOR_UNITS: Final = 1_000_000_000
"""Of one unit. So that the dearest purchase there can be, 50 lines of 1,000 units, is still an amount of `Money`."""

_MIN_TITLE_CHARACTERS: Final = 3

_FORBIDDEN_WORDS: Final = frozenset({"cocaine", "counterfeit", "heroin", "stolen"})
"""Whatever contains one of these as a word is not sold here; a reviewer sees to everything subtler."""

_UNSHOWABLE_CATEGORIES: Final = ("Cc", "Cs", "Zl", "Zp")
"""Control characters, halves of characters, line and paragraph separators."""


def checked_details(*, title: str, description: str, price: Money, stock: int) -> ListingDetails:
    """Return the details in the spelling in which they are stored.

    Raises:
        InvalidListingError: when no listing can have them, not even a draft.
    """
    return ListingDetails(
        title=_title(title), description=_description(description), price=_checked_price(price), stock=stock
    )


def publication_problems(details: ListingDetails) -> tuple[str, ...]:
    """Return why the listing cannot be published as it is, a sentence each; nothing when a person may look at it."""
    problems: list[str] = []
    if len(details.title) < _MIN_TITLE_CHARACTERS:
        problems.append(f"The title needs at least {_MIN_TITLE_CHARACTERS} characters.")
    if details.price.minor_units <= 0:
        problems.append("The price must be above zero.")
    if details.stock <= 0:
        problems.append("There is nothing in stock.")
    words = set(re.findall(r"\w+", f"{details.title} {details.description}".casefold()))
    problems.extend(f"The word “{word}” is not allowed." for word in sorted(words & _FORBIDDEN_WORDS))
    return tuple(problems)


def _title(title: str) -> str:
    spelling = unicodedata.normalize("NFC", title.strip())
    if not 1 <= len(spelling) <= MAX_TITLE_CHARACTERS:
        raise InvalidListingError("title", f"must have 1 to {MAX_TITLE_CHARACTERS} characters")
    if any(unicodedata.category(character) in _UNSHOWABLE_CATEGORIES for character in spelling):
        raise InvalidListingError("title", "must be one line without control characters")
    return spelling


def _description(description: str) -> str:
    lines = unicodedata.normalize("NFC", description.replace("\r\n", "\n").replace("\r", "\n").strip())
    if any(each not in "\n\t" and unicodedata.category(each) in ("Cc", "Cs") for each in lines):
        raise InvalidListingError("description", "must not hold control characters")
    return lines


def _checked_price(price: Money) -> Money:
    exponent = EXPONENTS.get(price.currency)
    if exponent is None:
        raise InvalidListingError("price", f"{price.currency} is no currency of ISO 4217")
    if price.exponent != exponent:
        raise InvalidListingError("price", f"the exponent of {price.currency} is {exponent}")
    if not 0 <= price.minor_units <= MAX_PRICE_MINOR_UNITS:
        raise InvalidListingError("price", f"must be 0 to {MAX_PRICE_MINOR_UNITS} minor units")
    return price
