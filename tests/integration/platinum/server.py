"""A real HTTP server on loopback that speaks `/v1/embeddings`, and fails as it is set up to."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


@contextmanager
def embeddings(dimensions, failures):
    """Yield the server's URL and the list of requests it got.

    `failures` lists what the requests get, in order: None for vectors, a status, `garbage`, `hang up`,
    `short` (a vector too few), `nan`, `slow` (no response at all) or `redirect`.
    """
    requests, pending, closing = [], list(failures), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append({"body": body, "authorization": self.headers.get("Authorization")})
            failure = pending.pop(0) if pending else None
            if failure == "hang up":
                self.connection.close()
                return
            if failure == "slow":
                closing.wait(30)
                return
            if isinstance(failure, int):
                self.reply(failure, f"no, {self.headers.get('Authorization')}".encode())
                return
            if failure == "redirect":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                return
            self.reply(200, b"<html>" if failure == "garbage" else vectors(body["input"], failure))

        def reply(self, status, payload):
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_):
            pass

    def vectors(texts, failure):
        rows = [
            {"index": place, "embedding": vector(text, dimensions, failure)}
            for place, text in enumerate(texts)
        ]
        # The order of the vectors is the server's own.
        return json.dumps({"data": rows[::-1][failure == "short" :]}).encode()

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}", requests
    finally:
        closing.set()
        http.shutdown()
        http.server_close()
        thread.join()


def vector(text, dimensions, failure=None):
    """Return a text's vector, the same each time."""
    draw = np.random.default_rng(sum(text.encode()))
    values = [float(value) for value in draw.normal(size=dimensions)]
    return [float("nan"), *values[1:]] if failure == "nan" else values
