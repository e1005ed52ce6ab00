"""The ledger, exported by the command that an operator uses, and checked by a program that is not ours."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path


async def problems_of_export(database_url: str, directory: Path) -> str:
    """Export the ledger of a database and have Beancount check it; return what it finds, empty for nothing."""
    environment = {**os.environ, "PAYMENT_DATABASE_URL": database_url}
    exported = await asyncio.to_thread(_run, [sys.executable, "-m", "payment_service", "ledger", "export"], environment)
    assert exported.returncode == 0, exported.stderr
    assert " open " in exported.stdout, "nothing was ever posted"
    file = directory / "ledger.beancount"
    file.write_text(exported.stdout)
    return (await asyncio.to_thread(bean_check, file)).stderr


def bean_check(file: Path) -> subprocess.CompletedProcess[str]:
    """Check a Beancount file; the exit code is not 0 and standard error says why where something is wrong."""
    return _run([sys.executable, "-m", "beancount.scripts.check", "--no-cache", str(file)], dict(os.environ))


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
