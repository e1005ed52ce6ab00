import subprocess
import sys
from pathlib import Path

# What two users of one cache do at once; the way takes long enough for both to be at it.
GET = """
import pathlib, sys, time
from platform_cli.tools.finder import Tool, find_or_get
from platform_cli.tools.go_build import GoModule

def way(directory, report):
    with open(sys.argv[1], "a") as file:
        file.write("fetched\\n")
    time.sleep(1)
    binary = directory / "binary"
    binary.write_text("#!/bin/sh\\nexit 0\\n")
    return binary

recipe = GoModule(module="m", version="v1", checksum="", go_mod_checksum="", package="m", ldflags="")
print(find_or_get(Tool(name="stand-in-tool", version="1", override_variable="STAND_IN_TOOL_BIN", version_arguments=(),
                       advice="", recipe=recipe, download=way)))
"""


def test_two_processes_that_want_a_tool_fetch_it_once(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    environment = {"PARTNER_CACHE": str(tmp_path / "cache"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

    processes = [
        subprocess.Popen(
            [sys.executable, "-c", GET, str(notes)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    outputs = [process.communicate(timeout=40) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], outputs
    assert notes.read_text() == "fetched\n"
    assert len({out for out, _ in outputs}) == 1
    assert sum("waiting for another process" in err for _, err in outputs) == 1
