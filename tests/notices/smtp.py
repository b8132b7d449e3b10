"""A mail server on loopback that speaks as much SMTP as a mail needs, and can refuse."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Server:
    """`refuse` makes it answer every mail with 451, as a server that is busy does."""

    port: int = 0
    refuse: bool = False
    mails: list[str] = field(default_factory=list)


@contextmanager
def server() -> Iterator[Server]:
    """Listens while the block runs."""
    state = Server()

    class Session(socketserver.StreamRequestHandler):
        def say(self, words: str) -> None:
            self.wfile.write(words.encode() + b"\r\n")

        def handle(self) -> None:
            self.say("220 ready")
            for line in self.rfile:
                verb = line.split()[0].upper()
                if verb == b"DATA":
                    self.take()
                elif verb == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("451 busy" if verb == b"MAIL" and state.refuse else "250 ok")

        def take(self) -> None:
            self.say("354 go on")
            lines = []
            while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                lines.append(line.decode())
            state.mails.append("".join(lines))
            self.say("250 taken")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as listening:
        listening.daemon_threads = True
        state.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            listening.shutdown()
            thread.join(5)
