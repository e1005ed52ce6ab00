"""Ask what a partner may do."""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy

from platform_contracts.identifiers import Tenant
from platform_contracts.message import ContractModel
from platform_contracts.published_activity import PublishedActivity
from platform_contracts.task_queues import TaskQueue


class PartnerCapabilitiesRequest(ContractModel):
    """Whose."""

    tenant: Tenant


class PartnerCapabilities(ContractModel):
    """What the partner may do now."""

    can_sell: bool
    can_be_paid: bool


PARTNER_CAPABILITIES: Final = PublishedActivity(
    name="user.partner_capabilities",
    task_queue=TaskQueue.USER,
    request_type=PartnerCapabilitiesRequest,
    result_type=PartnerCapabilities,
    start_to_close=timedelta(seconds=5),
    schedule_to_close=timedelta(days=1),
    schedule_to_start=None,
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
)
"""Read what a partner may do; it changes nothing, so it can be repeated."""
