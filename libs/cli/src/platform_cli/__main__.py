"""The command `partner`."""

import os
import sys

from platform_cli.commands.app import app
from platform_cli.errors import StackError

_INTERRUPTED_EXIT_CODE = 130


def main() -> None:
    """Run the command line; a failure that a person can do something about is one line on standard error."""
    try:
        app(prog_name="partner")
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
    except StackError as error:
        print(f"partner: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = _INTERRUPTED_EXIT_CODE
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's native threads now and then abort a process that leaves in the ordinary way.
    os._exit(code)


if __name__ == "__main__":
    main()
