"""Users: onboard one, notify one, read an inbox and an account."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from platform_contracts.identifiers import ClientId
from platform_contracts.user.notification import notification_workflow_id
from platform_contracts.user.user_onboarding import user_onboarding_workflow_id
from platform_contracts.user.views import ACCOUNT, INBOX, AccountQuery, InboxQuery
from platform_contracts.view import PageSize
from platform_gateway.commands import notify, onboard
from platform_gateway.operations.resources import ACCOUNT_ROUTE, INBOX_ROUTE
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import Kind, Problem, documented
from platform_gateway.rest_models import (
    Accepted,
    InboxPage,
    NotificationDone,
    NotificationResult,
    OnboardingDone,
    OnboardingResult,
    UserAccount,
    UserNotificationRequest,
    UserOnboardingRequest,
)
from platform_gateway.routes.headers import IdempotencyKey, Prefer
from platform_gateway.routes.shared import (
    ACCEPTED,
    DONE,
    OPERATION_ROUTE,
    Cursor,
    Tenant,
    path_of,
    path_to,
    started_or_executed,
    with_links,
)
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway

UserId = Annotated[ClientId, Path(alias="userId")]


def users_router(workflows: WorkflowGateway, views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/users`."""
    router = APIRouter(prefix="/v1/users/{userId}", tags=["users"], route_class=guarded_route(authenticate))

    @router.post(
        "/onboarding",
        operation_id="onboardUser",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": OnboardingDone, "description": "Done within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 409, 413, 415, 422, 500, 503),
        },
        summary="Onboard a user",
    )
    async def onboarding(
        request: Request,
        tenant: Tenant,
        user_id: UserId,
        body: UserOnboardingRequest,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,  # noqa: ARG001 - checked; the user's id is the key
    ) -> Response:
        """Onboard the user, once; a repeat with the same body is the same operation, another body is refused."""
        command = onboard(body, tenant=tenant, user_id=user_id)
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=OnboardingResult)

    @router.post(
        "/notifications",
        operation_id="notifyUser",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": NotificationDone, "description": "Done within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 409, 413, 415, 422, 500, 503),
        },
        summary="Notify a user",
    )
    async def notification(
        request: Request,
        tenant: Tenant,
        user_id: UserId,
        body: UserNotificationRequest,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Notify the user. Each request is a new notification, unless it repeats an `Idempotency-Key`."""
        command = notify(body, tenant=tenant, user_id=user_id, idempotency_key=idempotency_key)
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=NotificationResult)

    @router.get(
        "/inbox",
        operation_id="listInbox",
        name=INBOX_ROUTE,
        response_model=InboxPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="Read an inbox",
    )
    async def inbox(
        request: Request,
        tenant: Tenant,
        user_id: UserId,
        limit: Annotated[PageSize, Query()] = 50,
        cursor: Cursor = None,
    ) -> InboxPage:
        """Return a page of the user's inbox, newest first; the inbox of an unknown user is empty."""
        page = await views.read(INBOX, InboxQuery(user_id=user_id, limit=limit, cursor=cursor), tenant=tenant)
        operation = path_to(request, OPERATION_ROUTE)
        messages = [
            with_links(
                message,
                operation=operation(notification_workflow_id(tenant=tenant, notification_id=message.notification_id)),
            )
            for message in page.messages
        ]
        return InboxPage.model_validate({**page.model_dump(), "messages": messages})

    @router.get(
        "",
        operation_id="getUser",
        name=ACCOUNT_ROUTE,
        response_model=UserAccount,
        responses=documented(401, 403, 404, 422, 500, 503),
        summary="Read an account",
    )
    async def account(request: Request, tenant: Tenant, user_id: UserId) -> UserAccount:
        """Return the user's account, without personal data."""
        answer = await views.read(ACCOUNT, AccountQuery(user_id=user_id), tenant=tenant)
        if answer.account is None:
            raise Problem(Kind.UNKNOWN_USER)
        links = {
            "self": path_of(request, ACCOUNT_ROUTE, userId=user_id),
            "operation": path_to(request, OPERATION_ROUTE)(user_onboarding_workflow_id(tenant=tenant, user_id=user_id)),
        }
        return UserAccount.model_validate(with_links(answer.account, **links))

    return router
