"""What can be wrong with events."""


class InvalidEventError(Exception):
    """An event that can never be recorded, however often it is reported."""

    def __init__(self, event_id: str, reason: str) -> None:
        """Say which event it is and what is wrong with it."""
        super().__init__(f"event {event_id!r}: {reason}")
        self.event_id = event_id
        self.reason = reason
