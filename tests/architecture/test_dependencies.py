"""A member declares what it imports and imports what it declares; so each of them installs on its own."""

import sys
from functools import cache
from importlib import metadata

import pytest
from packaging.utils import canonicalize_name

from tests.architecture.members import BY_NAME, MEMBERS, Member

# Declared, and used without an import of ours.
LOADED_BY_OTHERS = {
    "aiosqlite": "SQLAlchemy loads the driver that the URL names",
    "psycopg": "SQLAlchemy loads the driver that the URL names",
    "httptools": "uvicorn reads HTTP with it where it is there, which is faster",
    "email-validator": "pydantic loads it for EmailStr",
}

# Distributions that hold nothing but others.
COLLECTIONS = {
    "opentelemetry-exporter-otlp": {"opentelemetry-exporter-otlp-proto-grpc", "opentelemetry-exporter-otlp-proto-http"}
}

each_member = pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.package)


@each_member
def test_member_declares_what_it_imports(member: Member) -> None:
    undeclared = _imported(member) - _declared(member) - {canonicalize_name(member.name)}

    assert not undeclared, f"add them to {member.directory.name}/pyproject.toml, then run `nox -s lock`"


@each_member
def test_member_imports_what_it_declares(member: Member) -> None:
    own = [*member.requirements, *(need for needs in member.extras.values() for need in needs)]
    declared = {canonicalize_name(need.name) for need in own}

    unused = declared - _imported(member) - set(LOADED_BY_OTHERS)
    unused -= {name for name, held in COLLECTIONS.items() if held & _imported(member)}

    assert not unused, f"take them out of {member.directory.name}/pyproject.toml, then run `nox -s lock`"


def _declared(member: Member) -> set[str]:
    """Return what a member asks for; an extra of another one (`platform-runtime[database]`) counts as its contents."""
    declared: set[str] = {canonicalize_name(need.name) for needs in member.extras.values() for need in needs}
    for need in member.requirements:
        declared.add(canonicalize_name(need.name))
        if other := BY_NAME.get(canonicalize_name(need.name)):
            declared.update(canonicalize_name(each.name) for extra in need.extras for each in other.extras[extra])
    return declared.union(*(held for name, held in COLLECTIONS.items() if name in declared))


def _imported(member: Member) -> set[str]:
    """Return the distributions that hold the modules which a member imports."""
    return {name for module in member.imported_modules() if (name := _distribution_of(module)) is not None}


def _distribution_of(module: str) -> str | None:
    """Return the distribution that holds a module, or the module that holds this name; None for Python's own."""
    parts = module.split(".")
    if parts[0] in sys.stdlib_module_names:
        return None
    for length in range(len(parts), 0, -1):
        if found := _modules().get(".".join(parts[:length])):
            return found
    raise AssertionError(f"nothing installed holds {module}")


@cache
def _modules() -> dict[str, str]:
    modules = {member.package: str(canonicalize_name(member.name)) for member in MEMBERS}
    for distribution in metadata.distributions():
        for file in distribution.files or ():
            stem = file.as_posix().partition(".")[0]
            if file.suffix in {".py", ".so", ".pyi"} and not file.as_posix().startswith("."):
                modules[stem.removesuffix("/__init__").replace("/", ".")] = str(canonicalize_name(distribution.name))
    return modules
