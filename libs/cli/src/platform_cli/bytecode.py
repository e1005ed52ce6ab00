"""Compiled Python for the processes of the stack, also where the user wants none in the tree."""

from platform_cli.tools.cache import cache_directory


def with_bytecode(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment in which Python keeps compiled modules.

    Compiling every module at every start takes two to three seconds a process. Where PYTHONDONTWRITEBYTECODE keeps
    the tree clean they go where our binaries are.
    """
    result = dict(environment)
    if result.pop("PYTHONDONTWRITEBYTECODE", ""):
        result.setdefault("PYTHONPYCACHEPREFIX", str(cache_directory() / "bytecode"))
    return result
