"""Everything that crosses a boundary, found in the contracts themselves: nothing has to be listed here."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any

import platform_contracts
from platform_contracts.message import ContractModel
from platform_contracts.published_activity import PublishedActivity
from platform_contracts.task_queues import TaskQueue
from platform_contracts.view import View


@dataclass(frozen=True)
class InDomain:
    """One part of a contract, and the domain whose it is."""

    domain: str
    module: ModuleType
    value: Any

    @property
    def name(self) -> str:
        """The type name of a workflow, the name of an activity, the path of a view."""
        path: str | None = getattr(self.value, "path", None)
        if path is not None:
            return f"{self.domain}{path}"
        return str(definition(self.value).name if isinstance(self.value, type) else self.value.name)


def definition(decorated: Any) -> Any:
    """Return what the SDK knows of a workflow class or an activity; fails for anything else."""
    for attribute in ("__temporal_workflow_definition", "__temporal_activity_definition"):
        found = getattr(decorated, attribute, None)
        if found is not None:
            return found
    raise AssertionError(f"{decorated!r} is neither a workflow nor an activity")


def _modules() -> list[ModuleType]:
    names = [found.name for found in pkgutil.walk_packages(platform_contracts.__path__, "platform_contracts.")]
    return [importlib.import_module(name) for name in sorted(names)]


def _domain(module: ModuleType) -> str:
    parts = module.__name__.split(".")
    return parts[1] if parts[1] in list(TaskQueue) else ""


def _own(module: ModuleType) -> Iterator[Any]:
    """Yield what a module defines itself, and the constants that it holds."""
    for value in vars(module).values():
        if isinstance(value, type):
            if value.__module__ == module.__name__:
                yield value
        elif isinstance(value, PublishedActivity | View):
            yield value


MODULES = _modules()
DOMAINS = [str(queue) for queue in TaskQueue]

MESSAGES: list[type[ContractModel]] = [
    value
    for module in MODULES
    for value in _own(module)
    if isinstance(value, type) and issubclass(value, ContractModel) and value is not ContractModel
]

WORKFLOWS = [
    InDomain(_domain(module), module, value)
    for module in MODULES
    for value in _own(module)
    if isinstance(value, type) and hasattr(value, "__temporal_workflow_definition")
]

FAILURES = [
    InDomain(_domain(module), module, value)
    for module in MODULES
    for value in _own(module)
    if isinstance(value, type) and issubclass(value, StrEnum) and module.__name__.endswith(".failures")
]


def _constants(kind: type) -> list[InDomain]:
    # Another module may import a constant; it belongs to the domain whose activity or view it is.
    found = {
        id(value): InDomain(_domain(module), module, value)
        for module in MODULES
        for value in _own(module)
        if isinstance(value, kind) and _domain(module)
    }
    return list(found.values())


PUBLISHED_ACTIVITIES = _constants(PublishedActivity)
VIEWS = _constants(View)


def message_name(message: type[ContractModel]) -> str:
    """Return the name of a message in golden files: `analytics.rollup.RollupInput`."""
    return f"{message.__module__.removeprefix('platform_contracts.')}.{message.__name__}"
