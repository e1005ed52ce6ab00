"""Invariants with names: each says what is always true of the books, and what it found where it is not."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

BooksT = TypeVar("BooksT")

Invariant = Callable[[BooksT], Awaitable[str | None]]
"""Returns what is wrong, or None."""


class BrokenInvariantsError(AssertionError):
    """Some invariants do not hold."""

    def __init__(self, found: Mapping[str, str]) -> None:
        """Name each, and what it found."""
        super().__init__("\n".join(f"{name}: {what}" for name, what in found.items()))
        self.names = frozenset(found)


class Invariants(Generic[BooksT]):
    """A registry of invariants over the same books."""

    def __init__(self) -> None:
        """Begin with none."""
        self.by_name: dict[str, Invariant[BooksT]] = {}

    def __call__(self, invariant: Invariant[BooksT]) -> Invariant[BooksT]:
        """Register a function under its own name."""
        self.by_name[invariant.__name__] = invariant
        return invariant

    async def check(self, books: BooksT) -> None:
        """Check them all.

        Raises:
            BrokenInvariantsError: naming every one that does not hold.
        """
        found: dict[str, str] = {}
        for name, invariant in self.by_name.items():
            problem = await invariant(books)
            if problem is not None:
                found[name] = problem
        if found:
            raise BrokenInvariantsError(found)
