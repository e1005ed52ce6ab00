import base64
import stat
from pathlib import Path

import pytest

from platform_cli.errors import StackError
from platform_cli.stack.home import Home


def test_service_token_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()

    token = home.service_token()

    assert len(token) >= 32
    assert Home(tmp_path).service_token() == token
    assert stat.S_IMODE(home.token_file.stat().st_mode) == 0o600


def test_webhook_secret_is_one_of_standard_webhooks_and_kept_like_the_token(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()

    secret = home.webhook_secret()

    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert Home(tmp_path).webhook_secret() == secret
    assert stat.S_IMODE(home.webhook_secret_file.stat().st_mode) == 0o600


def test_control_socket_lies_in_a_short_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")

    assert Home(Path("h")).socket == Path("/h/control.sock")


def test_control_socket_of_a_deep_home_is_short_and_its_own(tmp_path: Path) -> None:
    deep, other = tmp_path / ("d" * 100), tmp_path / ("e" * 100)

    sockets = {Home(directory).socket for directory in (deep, other)}

    assert len(sockets) == 2
    assert all(len(str(path)) <= 100 for path in sockets)
    assert Home(deep).socket == Home(deep).socket


def test_home_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StackError, match=r"^PARTNER_HOME=.* cannot be used") as error:
        Home(tmp_path / "file").create()

    assert "\n" not in str(error.value)


def test_home_has_one_supervisor_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    before = home.is_supervised()

    with home.supervised():
        during = home.is_supervised()
        with pytest.raises(StackError, match="runs already"), Home(tmp_path).supervised():
            pass

    assert (before, during, home.is_supervised()) == (False, True, False)
