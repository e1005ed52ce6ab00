"""`partner keys`: API keys of the gateway, which manages them itself; this hands over to it."""

import os
import subprocess
import sys

from platform_cli.errors import StackError
from platform_cli.settings import stack_settings
from platform_cli.stack.home import Home
from platform_cli.stack.plan import refuse_task_queue

_GATEWAY = (sys.executable, "-m", "platform_gateway")


def keys(*arguments: str) -> None:
    """Prepare the gateway's database and run `python -m platform_gateway keys` with these arguments.

    Raises:
        StackError: the database could not be prepared; the gateway has said why.
        SystemExit: with the gateway's own exit code, when it could not do what was asked.
    """
    settings = stack_settings()
    refuse_task_queue(settings)
    home = Home(settings.partner_home)
    home.create()
    environment = {**os.environ, "PARTNER_HOME": str(home.directory)}
    # What it has to say about itself is for a log; a person who asks for a key sees a warning only.
    quiet = {**environment, "LOG_LEVEL": "WARNING"}
    if subprocess.run([*_GATEWAY, "prepare"], env=quiet, check=False).returncode != 0:
        raise StackError("the gateway's database could not be prepared, see above")
    done = subprocess.run([*_GATEWAY, "keys", *arguments], env=quiet, check=False)
    if done.returncode != 0:
        raise SystemExit(done.returncode)
