"""What documents name exists: files, settings, commands, tasks; and every setting is shown."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import opentelemetry.sdk.environment_variables as opentelemetry_variables
import pytest
from pydantic_settings import BaseSettings
from typer.core import TyperGroup
from typer.main import get_command

from platform_cli.commands.app import app
from platform_runtime.settings import ServiceSettings
from tests.architecture.members import MEMBERS
from tests.support.documents import ROOT, blocks, documents

EXAMPLE = ROOT / ".env.example"

# What the Temporal SDK's environment configuration reads; it is native code and cannot be asked.
TEMPORAL_SDK = {
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "TEMPORAL_API_KEY",
    "TEMPORAL_PROFILE",
    "TEMPORAL_CONFIG_FILE",
    "TEMPORAL_TLS",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_TLS_SERVER_NAME",
}
OPENTELEMETRY_SDK = {name for name in vars(opentelemetry_variables) if name.startswith("OTEL_")}
VARIABLE = re.compile(r"(?<![\w.])(?:[A-Z]+_)+[A-Z0-9]+(?![\w.(])")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE_SPAN = re.compile(r"`([^`\n]+)`")
PARTNER = re.compile(r"(?:^|\s|/)partner ([a-z-]+)([^`\n]*)")
TASK = re.compile(r"noxfile\.py ([a-z]\w*)")

each_document = pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())


def _packages() -> Iterator[str]:
    for member in MEMBERS:
        yield member.package
        yield from (
            found.name
            for found in pkgutil.walk_packages([str(member.source)], f"{member.package}.")
            # Importing these runs them.
            if not found.name.endswith((".__main__", ".env"))
        )


def _settings_classes() -> list[type[BaseSettings]]:
    found: set[type[BaseSettings]] = set()
    for name in _packages():
        if name.rpartition(".")[2] == "settings":
            values = vars(importlib.import_module(name)).values()
            found |= {value for value in values if isinstance(value, type) and issubclass(value, BaseSettings)}
    # What every service has is read under the prefix of each.
    return sorted(found - {BaseSettings, ServiceSettings}, key=lambda each: each.__name__)


def _variables(settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config.get("env_prefix", "")
    return {
        field.validation_alias if isinstance(field.validation_alias, str) else f"{prefix}{name}".upper()
        for name, field in settings.model_fields.items()
    }


def _variables_in_code() -> set[str]:
    """Return what looks like a variable among the strings of the code: some are read without a settings class."""
    files = [
        ROOT / "noxfile.py",
        ROOT / "tests" / "tools.py",
        *(path for each in MEMBERS for path in each.source.rglob("*.py")),
    ]
    strings = {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    strings |= set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    return {text for text in strings if re.fullmatch(r"(PARTNER|OTEL)_[A-Z_]+", text)}


SETTINGS = {variable for settings in _settings_classes() for variable in _variables(settings)}
KNOWN = SETTINGS | TEMPORAL_SDK | OPENTELEMETRY_SDK | _variables_in_code()
PREFIXES = tuple(sorted({f"{name.partition('_')[0]}_" for name in KNOWN}))


def _named_variables(text: str) -> set[str]:
    return {name for name in VARIABLE.findall(text) if name.startswith(PREFIXES)}


def _prose(document: Path) -> str:
    """Return a document without its code, whose constants look like variables."""
    text = document.read_text()
    for block in blocks(document):
        if block.language in ("python", "diff"):
            text = text.replace(block.text, "")
    return text


def _code(document: Path) -> Iterator[str]:
    """Yield everything that is set as code: what a reader may type."""
    text = document.read_text()
    for block in blocks(document):
        text = text.replace(block.text, "")
        if block.language in ("", "console"):
            yield from block.text.splitlines()
    yield from CODE_SPAN.findall(text)


@each_document
def test_links_lead_to_files_that_exist(document: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(_prose(document)) if "://" not in link]

    assert [target for target in targets if target and not (document.parent / target).exists()] == []


@each_document
def test_variables_exist(document: Path) -> None:
    assert _named_variables(_prose(document)) - KNOWN == set()


def test_example_shows_only_variables_that_exist() -> None:
    assert _named_variables(EXAMPLE.read_text()) - KNOWN == set()


@pytest.mark.parametrize("settings", _settings_classes(), ids=lambda settings: settings.__name__)
def test_every_setting_stands_in_the_example(settings: type[BaseSettings]) -> None:
    shown = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE))

    assert _variables(settings) - shown == set(), f"show it in {EXAMPLE.name}, with its default and what it is for"


@each_document
def test_commands_and_their_options_exist(document: Path) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    options = {name: _options(command) | {"--help"} for name, command in group.commands.items()}

    wrong = [
        (name, rest.strip())
        for code in _code(document)
        for name, rest in PARTNER.findall(code)
        if name not in options or set(re.findall(r"(?<=\s)-{1,2}[a-z-]+", rest)) - options[name]
    ]

    assert wrong == []


def _options(command: Any) -> set[str]:
    """Return the options of a command and of the commands below it."""
    below: list[Any] = list(command.commands.values()) if isinstance(command, TyperGroup) else []
    own: set[str] = {option for parameter in command.params for option in parameter.opts}
    return own.union(*(_options(each) for each in below))


@each_document
def test_tasks_exist(document: Path) -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    sessions = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and "nox.session" in map(ast.unparse, node.decorator_list)
    }

    assert {task for code in _code(document) for task in TASK.findall(code)} - sessions == set()


@each_document
def test_commands_are_in_console_blocks(document: Path) -> None:
    shells = [block.where for block in blocks(document) if block.language in ("sh", "bash", "shell", "zsh")]

    assert not shells, "```console is what tests/e2e/test_documents.py runs"
