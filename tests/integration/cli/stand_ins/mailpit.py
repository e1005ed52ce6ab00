"""Stands in for mailpit: listens where it is told, and is ready at once."""

import signal
import socket
import sys
import threading
from http.server import ThreadingHTTPServer

from stand_in import Answers


def main() -> None:
    arguments = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
    smtp_host, _, smtp_port = arguments["--smtp"].rpartition(":")
    _, _, ui_port = arguments["--listen"].rpartition(":")
    with socket.create_server((smtp_host, int(smtp_port))):
        server = ThreadingHTTPServer(("127.0.0.1", int(ui_port)), Answers)

        def on_sigterm(_number: int, _frame: object) -> None:
            threading.Thread(target=server.shutdown).start()

        signal.signal(signal.SIGTERM, on_sigterm)
        server.serve_forever()


main()
