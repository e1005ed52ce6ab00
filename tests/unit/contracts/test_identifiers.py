"""Ids: what they may hold and what they tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from platform_contracts.identifiers import (
    ClientId,
    Tenant,
    idempotency_key_id,
    tenant_of,
    workflow_id,
)
from platform_contracts.user.user_onboarding import user_onboarding_workflow_id

TENANT: TypeAdapter[str] = TypeAdapter(Tenant)
CLIENT_ID: TypeAdapter[str] = TypeAdapter(ClientId)


@given(tenant=st.from_regex(r"\A[a-z0-9-]{1,40}\Z"), key=st.from_regex(r"\A[A-Za-z0-9._~-]{1,64}\Z"))
def test_tenant_can_be_read_back_from_every_workflow_id(tenant: str, key: str) -> None:
    made = workflow_id(tenant=tenant, domain="user", kind="notification", key=key)

    assert tenant_of(made) == tenant


def test_onboarding_is_named_by_tenant_and_user() -> None:
    assert user_onboarding_workflow_id(tenant="acme", user_id="u-1") == "acme:user:user-onboarding:u-1"


@pytest.mark.parametrize("tenant", ["", "Acme", "a:b", "a" * 41, "a\n", "ä"])
def test_tenant_that_could_be_misread_is_refused(tenant: str) -> None:
    with pytest.raises(ValidationError):
        TENANT.validate_python(tenant)


@pytest.mark.parametrize("client_id", ["", "a:b", "a/b", "a b", "a" * 65, "a\n", "ü", "%41"])
def test_client_id_that_would_need_escaping_is_refused(client_id: str) -> None:
    with pytest.raises(ValidationError):
        CLIENT_ID.validate_python(client_id)


@given(key=st.text(min_size=1, max_size=255))
def test_idempotency_key_becomes_an_id_that_hides_it(key: str) -> None:
    made = idempotency_key_id(key)

    assert CLIENT_ID.validate_python(made) == made
    assert made == idempotency_key_id(key)


def test_other_key_is_another_id() -> None:
    assert idempotency_key_id("a") != idempotency_key_id("b")
