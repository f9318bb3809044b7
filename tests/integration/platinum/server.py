"""A real HTTP server on loopback that speaks `/v1/embeddings`, and fails as it is told."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


@contextmanager
def embeddings(dimensions, failures):
    """Yield the server's URL and the list of requests it got.

    `failures` says what each request gets, in order: None for an answer, a status, `garbage`,
    `hang up`, `short` (a vector too few), `nan`, `slow` (no answer at all) or `redirect`.
    """
    requests, pending, closing = [], list(failures), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append({"body": body, "authorization": self.headers.get("Authorization")})
            what = pending.pop(0) if pending else None
            if what == "hang up":
                self.connection.close()
                return
            if what == "slow":
                closing.wait(30)
                return
            if isinstance(what, int):
                told = f"no, {self.headers.get('Authorization')}".encode()
                self.reply(what, told)
                return
            if what == "redirect":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                return
            self.reply(200, b"<html>" if what == "garbage" else answer(body["input"], what))

        def reply(self, status, payload):
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_):
            pass

    def answer(texts, what):
        rows = [
            {"index": place, "embedding": vector(text, dimensions, what)}
            for place, text in enumerate(texts)
        ]
        # The order of the answer is the server's own.
        return json.dumps({"data": rows[::-1][what == "short" :]}).encode()

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{found.server_port}", requests
    finally:
        closing.set()
        found.shutdown()
        found.server_close()
        thread.join()


def vector(text, dimensions, what=None):
    """Return a text's vector, the same each time."""
    draw = np.random.default_rng(sum(text.encode()))
    values = [float(value) for value in draw.normal(size=dimensions)]
    return [float("nan"), *values[1:]] if what == "nan" else values
