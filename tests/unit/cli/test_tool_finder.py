from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.rehearsal.programs import COMPOSE_PLUGIN
from platform_cli.bound_process import CommandError
from platform_cli.errors import ToolUnavailableError
from platform_cli.tools import go_build, jaeger, mailpit, temporal_server
from platform_cli.tools.cache import cache_directory, cached_binary
from platform_cli.tools.finder import Tool, find, find_or_get
from platform_cli.tools.go_build import GoModule
from platform_cli.tools.go_toolchain import go_on_path
from tests.support.toxiproxy import TOXIPROXY

TOOL = Tool(
    name="stand-in-tool",
    version="1.2.3",
    override_variable="STAND_IN_TOOL_BIN",
    version_arguments=("version",),
    advice="`brew install stand-in-tool`",
    recipe=GoModule(module="m", version="v1", checksum="h1:a", go_mod_checksum="h1:b", package="m/p", ldflags=""),
)

Way = Callable[[Path, Callable[[str], None]], Path]


@pytest.fixture(autouse=True)
def path_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    directory = tmp_path / "path"
    directory.mkdir()
    # The system's own directories stay, for the shell that runs the fakes.
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    monkeypatch.setenv("PARTNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(TOOL.override_variable, raising=False)
    return directory


def program(path: Path, *, says: str = "ok", exit_code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


def gives(says: str, *, exit_code: int = 0) -> Way:
    return lambda directory, _report: program(directory / "binary", says=says, exit_code=exit_code)


def fails(reason: str) -> Way:
    def way(_directory: Path, _report: Callable[[str], None]) -> Path:
        raise CommandError(reason, ("its last line",))

    return way


def builds(monkeypatch: pytest.MonkeyPatch, way: Way) -> None:
    def build(_recipe: GoModule, directory: Path, *, report: Callable[[str], None]) -> Path:
        return way(directory, report)

    monkeypatch.setattr(go_build, "build", build)


def test_override_wins_over_everything(monkeypatch: pytest.MonkeyPatch, path_directory: Path, tmp_path: Path) -> None:
    program(path_directory / TOOL.name)
    named = program(tmp_path / "mine")
    monkeypatch.setenv(TOOL.override_variable, str(named))

    assert find_or_get(TOOL) == named


def test_override_that_is_no_program_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOOL.override_variable, "/nowhere")

    with pytest.raises(ToolUnavailableError, match="STAND_IN_TOOL_BIN=/nowhere is not an executable file"):
        find_or_get(TOOL)


def test_tool_on_path_wins_over_the_cache(path_directory: Path) -> None:
    program(cached_binary(TOOL.name, TOOL.version))
    on_path = program(path_directory / TOOL.name)

    assert find_or_get(TOOL) == on_path


def test_cached_tool_is_found_and_one_of_another_version_is_not() -> None:
    cached = program(cached_binary(TOOL.name, TOOL.version))

    assert find_or_get(TOOL) == cached
    assert find(replace(TOOL, version="1.2.4")) is None


def test_download_comes_before_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    builds(monkeypatch, gives("built"))

    found = find_or_get(replace(TOOL, download=gives("downloaded")))

    assert found == cached_binary(TOOL.name, TOOL.version)
    assert "downloaded" in found.read_text()


def test_failed_download_leads_to_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    builds(monkeypatch, gives("built"))

    found = find_or_get(replace(TOOL, download=fails("no route")))

    assert "built" in found.read_text()


def test_download_that_does_not_run_here_leads_to_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    builds(monkeypatch, gives("built"))

    found = find_or_get(replace(TOOL, download=gives("for another processor", exit_code=126)))

    assert "built" in found.read_text()


def test_no_way_left_is_one_line_that_says_what_was_tried_and_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    builds(monkeypatch, fails("no Go"))

    with pytest.raises(ToolUnavailableError) as error:
        find_or_get(replace(TOOL, download=fails("no route")))

    text = str(error.value)
    assert "\n" not in text
    for part in ("not on PATH", "no route: its last line", "no Go", "brew install", "STAND_IN_TOOL_BIN"):
        assert part in text


def test_nothing_of_a_build_stays_but_the_binary(monkeypatch: pytest.MonkeyPatch) -> None:
    builds(monkeypatch, gives("built"))

    find_or_get(TOOL)

    assert list((cache_directory() / "build").iterdir()) == []
    assert [path.name for path in (cache_directory() / "bin").iterdir()] == [
        cached_binary(TOOL.name, TOOL.version).name
    ]


def test_cache_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PARTNER_CACHE", str(tmp_path / "file"))

    with pytest.raises(ToolUnavailableError, match="PARTNER_CACHE"):
        find_or_get(TOOL)


def test_old_go_on_path_is_not_used(path_directory: Path) -> None:
    program(path_directory / "go", says="go version go1.26.7 linux/amd64")

    assert go_on_path(minimum=(1, 26, 8)) is None


def test_new_go_on_path_is_used(path_directory: Path) -> None:
    go = program(path_directory / "go", says="go version go1.27 linux/amd64")

    assert go_on_path(minimum=(1, 26, 8)) == go


def test_build_without_room_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nearly_full(_path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=1024)

    monkeypatch.setattr("shutil.disk_usage", nearly_full)

    with pytest.raises(CommandError, match="needs 4 GB"):
        go_build.build(TOOL.recipe, tmp_path, report=lambda _line: None)


@pytest.mark.parametrize(
    "tool", [temporal_server.TOOL, jaeger.TOOL, mailpit.TOOL, COMPOSE_PLUGIN, TOXIPROXY], ids=lambda tool: tool.name
)
def test_each_tool_pins_its_module_by_checksum(tool: Tool) -> None:
    assert tool.recipe.version == f"v{tool.version}"
    assert tool.recipe.checksum.startswith("h1:")
    assert tool.recipe.go_mod_checksum.startswith("h1:")
    assert tool.version in tool.recipe.ldflags
