"""What has changed in workflows that may be running: the name of each change, as it stands in histories."""

from typing import Final

KEPT_END_COMES_FIRST: Final = "publication-kept-end-comes-first"
"""A submission looks for the end that is kept of it before all else, and keeps one from then on, whatever ends it."""

EARLY_CANCEL_IS_KEPT: Final = "purchase-early-cancel-is-kept"
"""That a purchase was cancelled before a worker took it up is kept, as every other end is."""
