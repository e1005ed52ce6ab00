"""What has changed in workflows that may be running: the name of each change, as it stands in histories."""

from typing import Final

DISPUTES_ARE_LOOKED_UP: Final = "provider-event-disputes-are-looked-up"
"""A dispute is asked about before it is applied; until then it was applied as its signed event told it."""
