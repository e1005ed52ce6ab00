"""The calls that are compared: a purchase and a start, each as the platform does it and as the SDK alone does it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Final
from uuid import uuid4

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from benchmarks.bare_purchase import QUEUE_PREFIX, BarePurchase, Order
from benchmarks.private_stack import LISTING
from platform_contracts import memo
from platform_contracts.listing.purchase import Purchase, PurchaseInput, PurchaseLine, purchase_workflow_id
from platform_contracts.task_queues import TaskQueue
from platform_contracts.user.notification import WORKFLOW_TYPE, notification_workflow_id

_TENANT: Final = "demo"
_BUYER: Final = "buyer-1"
_MESSAGE: Final = "Your parcel is on its way."
_FINGERPRINT: Final = "0" * 64
_TRACE_ID: Final = "0" * 32
_RPC_TIMEOUT: Final = timedelta(seconds=10)
_ACCEPTED: Final = b"HTTP/1.1 202 "


class PurchasesOfOurs:
    """Buys through the platform's workflow and workers."""

    def __init__(self, client: Client) -> None:
        """Start with the platform's own client."""
        self._client = client
        self.workflow_ids: list[str] = []

    async def __call__(self) -> None:
        """Buy one lamp, and wait for the result."""
        purchase_id = f"ours-{uuid4().hex}"
        workflow_id = purchase_workflow_id(tenant=_TENANT, purchase_id=purchase_id)
        await self._client.execute_workflow(
            Purchase.run,
            PurchaseInput(
                tenant=_TENANT,
                purchase_id=purchase_id,
                buyer_id=_BUYER,
                lines=(PurchaseLine(seller=_TENANT, listing_id=LISTING, quantity=1),),
                payment_token="tok_ok",  # noqa: S106 - the sandbox's word for a card that works
            ),
            id=workflow_id,
            task_queue=TaskQueue.LISTING,
            memo={memo.FINGERPRINT: _FINGERPRINT},
        )
        self.workflow_ids.append(workflow_id)


class BarePurchases:
    """Buys through the bare program."""

    def __init__(self, client: Client) -> None:
        """Start with a client as the SDK makes it."""
        self._client = client
        self.workflow_ids: list[str] = []

    async def __call__(self) -> None:
        """Buy one lamp, and wait for the result."""
        purchase_id = f"bare-{uuid4().hex}"
        workflow_id = f"{_TENANT}:bare:purchase:{purchase_id}"
        await self._client.execute_workflow(
            BarePurchase.run,
            Order(_TENANT, purchase_id, _BUYER, _TENANT, LISTING, 1, "tok_ok"),
            id=workflow_id,
            task_queue=f"{QUEUE_PREFIX}listing",
            memo={memo.FINGERPRINT: _FINGERPRINT},
        )
        self.workflow_ids.append(workflow_id)


class GatewayStarts:
    """Starts notifications through the gateway, over connections that stay open.

    Lean on purpose: what a comfortable HTTP client costs the caller would be taken for what the gateway costs.
    """

    def __init__(self, port: int) -> None:
        """Call the gateway on the loopback address."""
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        body = json.dumps({"userId": _BUYER, "message": _MESSAGE, "type": "info"}).encode()
        self._request = (
            b"POST /api/temporal/notification/start HTTP/1.1\r\n"
            b"Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    async def __call__(self) -> None:
        """Start one.

        Raises:
            RuntimeError: when the answer is not 202.
        """
        reader, writer = await self._connection()
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        answer = await reader.readexactly(int(length.partition(b":")[2]))
        if not head.startswith(_ACCEPTED):
            raise RuntimeError(f"the gateway did not accept: {head!r} {answer!r}")
        self._idle.append((reader, writer))

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            # The gateway closes what was idle for some seconds.
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def close(self) -> None:
        """Close the connections."""
        while self._idle:
            _, writer = self._idle.pop()
            writer.close()
            await writer.wait_closed()


def raw_start(client: Client) -> Callable[[], Awaitable[None]]:
    """Return what starts the same notification with the SDK alone: same type, id, input, memo and policies."""
    numbers = count()

    async def start() -> None:
        notification_id = f"{uuid4()}-{next(numbers)}"
        await client.start_workflow(
            WORKFLOW_TYPE,
            {
                "tenant": _TENANT,
                "notification_id": notification_id,
                "user_id": _BUYER,
                "type": "info",
                "message": _MESSAGE,
            },
            id=notification_workflow_id(tenant=_TENANT, notification_id=notification_id),
            task_queue=TaskQueue.USER,
            memo={memo.FINGERPRINT: _FINGERPRINT, memo.TRACE_ID: _TRACE_ID},
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            rpc_timeout=_RPC_TIMEOUT,
        )

    return start
