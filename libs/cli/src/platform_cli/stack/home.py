"""What lies under PARTNER_HOME: data, logs, the supervisor's lock, state and control socket, secrets of its own."""

import base64
import fcntl
import hashlib
import os
import secrets
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from platform_cli.errors import StackError

# The address of a unix socket has room for 104 bytes on macOS and 108 on Linux.
_LONGEST_SOCKET_PATH = 100


class Home:
    """The paths of one PARTNER_HOME. Making it creates nothing; `create` does."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.expanduser().absolute()
        self.data = self.directory / "data"
        self.logs = self.directory / "logs"
        self.state = self.directory / "state.json"
        self.lock = self.directory / "supervisor.lock"
        self.token_file = self.directory / "service-token"
        self.webhook_secret_file = self.directory / "acquirer-webhook-secret"

    @property
    def socket(self) -> Path:
        """The control socket: below PARTNER_HOME, or at a short path made from it when that would be too long."""
        natural = self.directory / "control.sock"
        if len(os.fsencode(natural)) <= _LONGEST_SOCKET_PATH:
            return natural
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"partner-{os.getuid()}" / f"{digest}.sock"

    def create(self) -> None:
        """Create the directories.

        Raises:
            StackError: they cannot be created or written to.
        """
        try:
            for directory in (self.data, self.logs):
                directory.mkdir(parents=True, exist_ok=True)
            if self.socket.parent != self.directory:
                # Others may write to the temporary directory: a directory that is not ours alone is refused.
                self.socket.parent.mkdir(mode=0o700, exist_ok=True)
                status = self.socket.parent.stat()
                if status.st_uid != os.getuid() or status.st_mode & 0o077:
                    raise StackError(
                        f"{self.socket.parent} belongs to somebody else: set PARTNER_HOME to a shorter path"
                    )
        except OSError as error:
            raise StackError(f"PARTNER_HOME={self.directory} cannot be used: {error}") from error

    def log_of(self, name: str) -> Path:
        """Return the log file of a process."""
        return self.logs / f"{name}.log"

    def service_token(self) -> str:
        """Return the secret that the internal views ask for; it is made once and readable by its owner only."""
        return _made_once(self.token_file, secrets.token_urlsafe(32))

    def webhook_secret(self) -> str:
        """Return what our acquirer signs its events with; made and kept like the service token."""
        return _made_once(self.webhook_secret_file, f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}")

    def is_supervised(self) -> bool:
        """Return whether a supervisor of this home is alive; its lock dies with it, so this cannot be stale."""
        try:
            with self.lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @contextmanager
    def supervised(self) -> Generator[None]:
        """Be the supervisor of this home until the block ends.

        Raises:
            StackError: another one is.
        """
        with self.lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(
                    f"a stack of {self.directory} runs already: see `partner status`, or end it with `partner down`"
                ) from None
            yield


def _made_once(file: Path, text: str) -> str:
    """Return what the file says; where there is none, one with this text is made for its owner only."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as new:
            new.write(text)
    return file.read_text().strip()
