"""The members of the workspace, read from their files: what the rules of this folder are about."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Member:
    """One package of the workspace."""

    directory: Path

    @cached_property
    def project(self) -> dict[str, Any]:
        """The [project] table of its pyproject.toml."""
        return tomllib.loads((self.directory / "pyproject.toml").read_text())["project"]

    @property
    def name(self) -> str:
        """The name it is installed by."""
        return str(self.project["name"])

    @property
    def package(self) -> str:
        """The name it is imported by."""
        return self.name.replace("-", "_")

    @property
    def source(self) -> Path:
        """The directory of its package."""
        return self.directory / "src" / self.package

    @property
    def requirements(self) -> list[Requirement]:
        """What it asks for, without its extras."""
        return [Requirement(line) for line in self.project["dependencies"]]

    @property
    def extras(self) -> dict[str, list[Requirement]]:
        """What each of its extras asks for."""
        extras: dict[str, list[str]] = self.project.get("optional-dependencies", {})
        return {extra: [Requirement(line) for line in lines] for extra, lines in extras.items()}

    def imported_modules(self) -> set[str]:
        """Return every module that its code imports, absolute, with the names imported from it as candidates."""
        return {name for file in self.source.rglob("*.py") for name in _imports(ast.parse(file.read_text()))}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from opentelemetry import trace` imports a module of another distribution than `opentelemetry.sdk`.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _members(*patterns: str) -> list[Member]:
    return [Member(path.parent) for pattern in patterns for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml"))]


LIBRARIES = _members("libs/*")
SERVICES = _members("services/*")
MEMBERS = [*LIBRARIES, *SERVICES, *_members("gateway")]
BY_NAME = {canonicalize_name(member.name): member for member in MEMBERS}


def with_own_libraries(member: Member) -> list[Member]:
    """Return a member and every other member that it needs, directly or not."""
    needed = [member]
    for each in needed:
        every_requirement = [*each.requirements, *(need for needs in each.extras.values() for need in needs)]
        own = [BY_NAME[name] for need in every_requirement if (name := canonicalize_name(need.name)) in BY_NAME]
        needed.extend(other for other in own if other not in needed)
    return needed
