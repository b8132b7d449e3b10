"""A time stamp authority (RFC 3161) by OpenSSL, as a process of its own: a real one, on loopback.

    python tsa_server.py FOLDER      # prints its port; its certificate is FOLDER/tsa.pem

`/refuse` answers 503, `/page` a web page, anything else a time stamp.
"""

from __future__ import annotations

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

CONFIG = """
[req]
distinguished_name = dn
prompt = no
x509_extensions = v3
[dn]
CN = Time stamps for tests
[v3]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = one
[one]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
ess_cert_id_alg = sha256
"""


class Answering(BaseHTTPRequestHandler):
    """One request, one call of `openssl ts -reply`."""

    folder: Path

    def do_POST(self) -> None:
        """Answer as the path says."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/refuse":
            self.send_error(503)
            return
        answer = b"<html>hello</html>" if self.path == "/page" else self._stamped(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _stamped(self, body: bytes) -> bytes:
        (self.folder / "query").write_bytes(body)
        command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query"]
        done = subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return done.stdout

    def log_message(self, *_: object) -> None:
        """Nothing: standard output is for the port."""


def main(folder: Path) -> None:
    """Make a key and a certificate, and serve until ended."""
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -days 2 -config tsa.cnf"
    subprocess.run(make.split(), cwd=folder, check=True, capture_output=True)
    Answering.folder = folder
    server = HTTPServer(("127.0.0.1", 0), Answering)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
