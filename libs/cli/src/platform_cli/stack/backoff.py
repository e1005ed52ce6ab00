"""How long to wait before a crashed process is started again, and when to give up."""

from dataclasses import dataclass

FIRST_SECONDS = 0.2
FACTOR = 2.0
LONGEST_SECONDS = 5.0
# A process that lived for so long did its work: its crash is a new story, not the next of a series.
QUICK_SECONDS = 10.0
GIVE_UP_AFTER = 5


@dataclass
class Backoff:
    """The series of quick crashes of one process."""

    quick_crashes: int = 0

    def pause_after(self, *, lived_seconds: float) -> float | None:
        """Count a crash; return the seconds to wait before the next start, None to give up."""
        if lived_seconds >= QUICK_SECONDS:
            self.quick_crashes = 0
        self.quick_crashes += 1
        if self.quick_crashes >= GIVE_UP_AFTER:
            return None
        return min(FIRST_SECONDS * FACTOR ** (self.quick_crashes - 1), LONGEST_SECONDS)
