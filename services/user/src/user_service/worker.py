"""The composition root of the user service: makes the parts and wires them."""

from email.headerregistry import Address
from urllib.parse import unquote

from pydantic import AnyUrl

from platform_runtime.service_process import Registrations, Resources
from user_service.activities.accounts import AccountActivities
from user_service.activities.notifications import NotificationActivities
from user_service.activities.partners import PartnerActivities
from user_service.domain import templates
from user_service.domain.account_rules import checked_details
from user_service.persistence.accounts import SqlAccounts
from user_service.persistence.notifications import SqlInboxes, SqlSentMails
from user_service.providers.smtp import Security, SmtpMailer, SmtpServer
from user_service.settings import UserSettings
from user_service.views import views
from user_service.workflows.notification import NotificationWorkflow
from user_service.workflows.user_onboarding import UserOnboardingWorkflow

_SECURITY: dict[str, Security] = {"smtp": "none", "smtp+starttls": "starttls", "smtps": "tls"}


async def build(resources: Resources[UserSettings]) -> Registrations:
    """Return what the user service's worker runs and shows."""
    settings = resources.settings
    accounts = SqlAccounts(resources.database)
    inboxes = SqlInboxes(resources.database)
    mailer = SmtpMailer(
        smtp_server(settings.smtp_url),
        sender=Address(display_name=settings.mail_from.name, addr_spec=settings.mail_from.email),
    )
    of_accounts = AccountActivities(accounts, checked_details)
    of_notifications = NotificationActivities(
        accounts=accounts,
        inboxes=inboxes,
        sent_mails=SqlSentMails(resources.database),
        mailer=mailer,
        templates=templates,
    )
    return Registrations(
        workflows=[UserOnboardingWorkflow, NotificationWorkflow],
        activities=[
            of_accounts.create_account,
            of_accounts.activate_account,
            of_notifications.deliver_in_app,
            of_notifications.send_email,
            of_notifications.give_up_email,
            of_notifications.cancel_notification,
            PartnerActivities().partner_capabilities,
        ],
        views=views(accounts=accounts, inboxes=inboxes, token=resources.service_token),
    )


def smtp_server(url: AnyUrl) -> SmtpServer:
    """Return the mail server that a USER_SMTP_URL names."""
    return SmtpServer(
        host=url.host or "localhost",
        port=url.port,
        security=_SECURITY[url.scheme],
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
    )
