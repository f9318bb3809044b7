"""Real servers that receive alerts on loopback, and keep what they were sent."""

from __future__ import annotations

import json
import socketserver
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

ADDRESS = ("127.0.0.1", 0)
ANSWERS = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 known", "QUIT": "221 bye"}


class _Served:
    """A server in a thread for the length of a block."""

    server: socketserver.BaseServer

    def __enter__(self):
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Hook(_Served):
    """A webhook; it refuses the first `refused` requests."""

    def __init__(self, refused=0):
        self.bodies, self.requests, self.refused = [], 0, refused
        self.server = ThreadingHTTPServer(ADDRESS, _Post)
        self.server.hook = self
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/secret"


class _Post(BaseHTTPRequestHandler):
    def do_POST(self):
        hook = self.server.hook
        hook.requests += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = hook.requests > hook.refused
        if good:
            hook.bodies.append(body)
        self.send_response(200 if good else 503)
        self.end_headers()

    def log_message(self, *_):
        pass


class PostOffice(_Served):
    """A mail server, as far as a client that only sends needs one."""

    def __init__(self):
        self.letters = []
        self.server = socketserver.ThreadingTCPServer(ADDRESS, _Letters)
        self.server.daemon_threads = True
        self.server.office = self
        self.port = self.server.server_address[1]


class _Letters(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("220 here")
        letter = {"to": []}
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            if verb == "RCPT":
                letter["to"].append(rest)
            elif verb == "AUTH":
                letter["auth"] = rest
            elif verb == "DATA":
                self._say("354 go on")
                letter["text"] = self._body()
                self.server.office.letters.append(letter)
            self._say(ANSWERS.get(verb, "250 ok"))

    def _body(self):
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        return "\n".join(lines)

    def _say(self, text):
        self.wfile.write(f"{text}\r\n".encode())
