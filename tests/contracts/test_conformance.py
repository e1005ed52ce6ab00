"""What the contracts promise, the services register: once, whole, and with the same types."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.contracts.inventory import DOMAINS, PUBLISHED_ACTIVITIES, VIEWS, WORKFLOWS, InDomain, definition
from tests.contracts.services import Registered, registered_services


@pytest.fixture(scope="module")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[dict[str, Registered]]:
    """Return every service by the name of its domain."""
    async with registered_services(tmp_path_factory.mktemp("databases")) as found:
        yield {each.service.name: each for each in found}


each_workflow = pytest.mark.parametrize("contract", WORKFLOWS, ids=lambda contract: contract.name)


def _implementation(services: dict[str, Registered], contract: InDomain) -> type:
    found = [
        (domain, workflow)
        for domain, registered in services.items()
        for workflow in registered.registrations.workflows
        if definition(workflow).name == contract.name
    ]
    assert [domain for domain, _workflow in found] == [contract.domain], (
        f"{contract.name} has to be registered exactly once, in worker.py of the {contract.domain} service, and is "
        f"registered by {[domain for domain, _workflow in found] or 'nobody'}: whoever starts it would wait for ever."
    )
    return found[0][1]


def test_every_domain_has_one_service_on_its_own_queue(services: dict[str, Registered]) -> None:
    queues = {domain: str(each.service.task_queue) for domain, each in services.items()}

    assert queues == {domain: domain for domain in DOMAINS}


@each_workflow
async def test_workflow_is_registered_once_and_inherits_its_contract(
    services: dict[str, Registered], contract: InDomain
) -> None:
    implementation = _implementation(services, contract)

    assert issubclass(implementation, contract.value)
    assert implementation is not contract.value, f"{contract.name} is registered by its stub, which does nothing"


@each_workflow
async def test_workflow_takes_and_returns_what_its_contract_says(
    services: dict[str, Registered], contract: InDomain
) -> None:
    promised, done = definition(contract.value), definition(_implementation(services, contract))

    assert done.arg_types == promised.arg_types
    assert done.ret_type == promised.ret_type
    # Else bad input would leave it open for ever, with a workflow task that fails again and again.
    assert set(done.failure_exception_types) >= set(promised.failure_exception_types)
    assert promised.failure_exception_types


@each_workflow
async def test_workflow_overrides_every_message_of_its_contract(
    services: dict[str, Registered], contract: InDomain
) -> None:
    promised, done = definition(contract.value), definition(_implementation(services, contract))

    left = [name for name, handler in _handlers(promised).items() if _handlers(done).get(name) is handler]
    assert not left, f"{contract.name}: these still do what the stub does, which is nothing: {left}"
    assert set(_handlers(done)) == set(_handlers(promised)), "a message that the contract does not name"


@pytest.mark.parametrize("contract", PUBLISHED_ACTIVITIES, ids=lambda contract: contract.name)
async def test_published_activity_is_registered_by_its_domain_with_its_types(
    services: dict[str, Registered], contract: InDomain
) -> None:
    registered = [
        (domain, definition(activity))
        for domain, each in services.items()
        for activity in each.registrations.activities
        if definition(activity).name == contract.value.name
    ]

    assert [domain for domain, _activity in registered] == [contract.domain]
    assert registered[0][1].arg_types == [contract.value.request_type]
    assert registered[0][1].ret_type is contract.value.result_type
    assert contract.value.task_queue == contract.domain


@pytest.mark.parametrize("domain", DOMAINS)
async def test_service_shows_the_views_of_its_contract_and_no_other(
    services: dict[str, Registered], domain: str
) -> None:
    shown = [getattr(route, "path", None) for route in services[domain].registrations.views]

    assert sorted(map(str, shown)) == sorted(view.value.path for view in VIEWS if view.domain == domain)


@pytest.mark.parametrize("domain", DOMAINS)
async def test_service_registers_nothing_that_has_no_contract(services: dict[str, Registered], domain: str) -> None:
    workflows = {definition(workflow).name for workflow in services[domain].registrations.workflows}

    assert workflows == {contract.name for contract in WORKFLOWS if contract.domain == domain}


@pytest.mark.parametrize("domain", DOMAINS)
async def test_activities_take_at_most_one_message(services: dict[str, Registered], domain: str) -> None:
    many = [
        definition(activity).name
        for activity in services[domain].registrations.activities
        if len(definition(activity).arg_types or ()) > 1
    ]

    assert not many, "a second argument cannot be added or left out later; a field can"


@pytest.mark.parametrize("domain", DOMAINS)
async def test_activities_are_named_on_the_wire_by_domain_and_verb_and_the_object_where_it_needs_one(
    services: dict[str, Registered], domain: str
) -> None:
    names = [str(definition(activity).name) for activity in services[domain].registrations.activities]

    assert names
    assert len(names) == len(set(names))
    assert [name for name in names if not _is_activity_name(name, domain)] == []


def _is_activity_name(name: str, domain: str) -> bool:
    first, _, rest = name.partition(".")
    return first == domain and rest.isidentifier() and rest == rest.lower()


def _handlers(types: Any) -> dict[str, object]:
    named = {
        f"{kind} {name}": handler.fn
        for kind, handlers in (("signal", types.signals), ("query", types.queries), ("update", types.updates))
        for name, handler in handlers.items()
    }
    return {"run": types.run_fn, **named}
