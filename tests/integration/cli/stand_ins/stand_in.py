"""Stands in for a process of the platform: the internal port and SIGTERM, nothing else; told by files what to do.

A file `NAME.crash` in STAND_IN_DIRECTORY makes the process of that name end at once with the code in it.
"""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DIRECTORY = Path(os.environ["STAND_IN_DIRECTORY"])


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        pass


def run(name: str, port: int) -> None:
    note = DIRECTORY / "events.txt"

    def tell(what: str) -> None:
        with note.open("a") as file:
            file.write(f"{name} {port if what != 'prepare' else 0} {what}\n")

    if sys.argv[1:] == ["prepare"]:
        tell("prepare")
        return
    crash = DIRECTORY / f"{name}.crash"
    if crash.exists():
        print(f"{name} cannot start because of a stand-in fault", flush=True)
        sys.exit(int(crash.read_text()))
    tell("start")
    server = ThreadingHTTPServer(("127.0.0.1", port), Answers)

    def on_sigterm(_number: int, _frame: object) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, on_sigterm)
    server.serve_forever()
    tell("stop")
