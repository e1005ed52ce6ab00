"""The demo's story: a user joins, is told things, and is counted; and what may go wrong does."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    ScheduleHandle,
    ScheduleOverlapPolicy,
)

from platform_cli.demo.gateway_api import GatewayApi
from platform_cli.demo.mailpit_api import MailpitApi
from platform_cli.demo.outcomes import Outcomes
from platform_contracts.analytics.rollup import Granularity, rollup_schedule_id

_COUNTED_WITHIN_SECONDS = 30.0
_POLL_SECONDS = 0.1


class Story:
    """One run of it. Each run has users of its own, so it can be told again on the same data."""

    def __init__(self, gateway: GatewayApi, mail: MailpitApi, temporal: Client) -> None:
        self.outcomes = Outcomes()
        self.onboarding_trace_id: str | None = None
        self._gateway = gateway
        self._mail = mail
        self._temporal = temporal
        run = uuid4().hex[:8]
        self._user_id = f"ada-{run}"
        self._email = f"ada-{run}@example.com"
        self._since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0).isoformat()

    async def tell(self) -> None:
        """Do everything and note what came of it.

        Raises:
            httpx.HTTPError: the gateway or the mail server did not answer at all.
        """
        await self._roll_up()
        before = await self._counts()
        await self._onboard()
        await self._notify()
        await self._notify_with_unknown_type()
        await self._cancel_a_notification()
        await self._send_a_bad_request()
        await self._read_the_mail()
        await self._read_the_inbox()
        await self._count(before)

    async def _onboard(self) -> None:
        answer = await self._gateway.onboard(user_id=self._user_id, email=self._email, name="Ada")
        body = answer.json()
        self.outcomes.note(
            f"onboarded {self._user_id}",
            expected="200 COMPLETED, account active",
            seen=f"{answer.status_code} {body.get('status')}, account {_result(body).get('accountStatus')}",
        )
        if answer.is_success:
            status = await self._gateway.status(body["workflowId"])
            self.onboarding_trace_id = status["traceId"]
        again = await self._gateway.onboard(user_id=self._user_id, email=self._email, name="Ada")
        same = again.status_code == answer.status_code and _result(again.json()) == _result(body)
        self.outcomes.note(
            "sent the same again", expected="the first result", seen="the first result" if same else again.text
        )
        other = await self._gateway.onboard(user_id=self._user_id, email=f"other-{self._email}", name="Ada")
        self.outcomes.note("sent other details for the same user", expected="409", seen=str(other.status_code))

    async def _notify(self) -> None:
        answer = await self._gateway.notify(
            {"userId": self._user_id, "message": "Your first listing is online.", "type": "info"}
        )
        status = await self._gateway.status_when_closed(answer.json()["workflowId"])
        deliveries = _result(status).get("deliveries", [])
        told = ", ".join(f"{each['channel']} {each['status']}" for each in deliveries)
        self.outcomes.note(
            "notified them",
            expected="202, COMPLETED: in_app sent, email sent",
            seen=f"{answer.status_code}, {status['status']}: {told}",
        )

    async def _notify_with_unknown_type(self) -> None:
        answer = await self._gateway.notify({"userId": self._user_id, "message": "Hello", "type": "sms"})
        status = await self._gateway.status_when_closed(answer.json()["workflowId"])
        failure: dict[str, Any] = status["failure"] or {}
        self.outcomes.note(
            "notified them with the unknown type sms",
            expected="202, FAILED: user.UnknownNotificationType",
            seen=f"{answer.status_code}, {status['status']}: {failure.get('type')}",
        )

    async def _cancel_a_notification(self) -> None:
        await self._mail.refuse_for_now()
        try:
            answer = await self._gateway.notify({"userId": self._user_id, "message": "Never mind", "type": "email"})
            workflow_id = answer.json()["workflowId"]
            held_up = await self._gateway.status_when(
                workflow_id, lambda status: bool(status["blockedBy"]), within_seconds=20
            )
            blocked_by: dict[str, Any] = held_up["blockedBy"] or {}
            self.outcomes.note(
                "notified them while the mail server was in trouble",
                expected="RUNNING, activity_retrying",
                seen=f"{held_up['status']}, {blocked_by.get('reason')}",
            )
            cancelled = await self._gateway.cancel(workflow_id)
            status = await self._gateway.status_when_closed(workflow_id)
            self.outcomes.note(
                "cancelled that notification",
                expected="202, CANCELED",
                seen=f"{cancelled.status_code}, {status['status']}",
            )
        finally:
            await self._mail.accept_again()

    async def _send_a_bad_request(self) -> None:
        answer = await self._gateway.notify({"message": "To whom?", "type": "info"})
        body = answer.json()
        named = ", ".join(str(each.get("field")) for each in body.get("errors", []))
        self.outcomes.note(
            "forgot to say whom to notify",
            expected="422 naming userId",
            seen=f"{answer.status_code} naming {named or 'nothing'}",
        )

    async def _read_the_mail(self) -> None:
        mails = await self._mail.mails_to(self._email, at_least=2, within_seconds=20)
        identities = {mail["MessageID"] for mail in mails}
        self.outcomes.note(
            f"read the mail of {self._email}",
            expected="2 mails: the welcome and the notification, each once",
            seen=f"{len(mails)} mails: the welcome and the notification, each once"
            if len(mails) == len(identities)
            else f"{len(mails)} mails, {len(identities)} different ones",
        )

    async def _read_the_inbox(self) -> None:
        messages = await self._gateway.inbox(self._user_id)
        types = ", ".join(sorted(message["type"] for message in messages))
        # The cancelled one had reached the inbox before its e-mail was held up.
        self.outcomes.note("read their inbox", expected="email, info, welcome", seen=types)

    async def _count(self, before: dict[str, int]) -> None:
        await self._roll_up()
        after = await self._counts()
        # Somebody else may be using the platform at the same time.
        at_least = {"user.onboarded": 1, "user.notified": 2}
        counted = {name: after[name] - before[name] for name in at_least}
        enough = all(counted[name] >= number for name, number in at_least.items())
        expected = "1 onboarded and 2 notified"
        self.outcomes.note(
            "triggered the rollup and read the counts",
            expected=expected,
            seen=expected if enough else ", ".join(f"{name} +{number}" for name, number in counted.items()),
        )

    async def _counts(self) -> dict[str, int]:
        return {
            name: await self._gateway.counts(name, since=self._since) for name in ("user.onboarded", "user.notified")
        }

    async def _roll_up(self) -> None:
        """Trigger the hourly rollup, beside a run that may be going on, and wait until it has counted."""
        schedule = self._temporal.get_schedule_handle(rollup_schedule_id(Granularity.HOUR))
        known = await _runs(schedule)
        await schedule.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
        async with asyncio.timeout(_COUNTED_WITHIN_SECONDS):
            while True:
                for run_id, workflow_id in (await _runs(schedule)).items():
                    if run_id not in known:
                        await self._temporal.get_workflow_handle(workflow_id, run_id=run_id).result()
                        return
                await asyncio.sleep(_POLL_SECONDS)


async def _runs(schedule: ScheduleHandle) -> dict[str, str]:
    """Return the workflow ids of a schedule's recent runs, by run id."""
    recent = (await schedule.describe()).info.recent_actions
    started = [each.action for each in recent if isinstance(each.action, ScheduleActionExecutionStartWorkflow)]
    return {action.first_execution_run_id: action.workflow_id for action in started}


def _result(body: dict[str, Any]) -> dict[str, Any]:
    return body.get("result") or {}
