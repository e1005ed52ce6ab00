"""What has changed in workflows that may be running: the name of each change, as it stands in histories."""

from typing import Final

GIVEN_UP_MAIL_IS_KEPT: Final = "notification-given-up-mail-is-kept"
"""That a mail could not be handed over in time is kept, as every other outcome is."""

CANCELLED_NOTIFICATION_IS_KEPT: Final = "notification-cancelled-is-kept"
"""That a notification was cancelled is kept, as every other outcome is."""
