"""A small server on the loopback interface that speaks OpenAI's protocol, as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], Any]


@dataclass
class Served:
    """What it was asked, and how it answers: ``reply`` is given path, body and its turn."""

    url: str = ""
    models: list[str] | None = field(default_factory=lambda: ["m"])
    reply: Callable[[str, dict[str, Any], int], Reply] = lambda path, body, turn: chat("fine")
    requests: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """Bodies of requests for text."""
        return [body for path, body, _ in self.requests if path.endswith("completions")]


def chat(text: str | None, finish: str | None = "stop", **usage: int) -> Reply:
    """An answer of /chat/completions."""
    given = {"usage": usage} if usage else {}
    message = {"role": "assistant", "content": text}
    return 200, {}, {"choices": [{"message": message, "finish_reason": finish}], **given}


def failing(status: int, **headers: str) -> Reply:
    """An error that quotes what it was sent, as servers do."""
    return status, headers, {"error": {"message": "secret prompt: aspirin for Mr Smith"}}


@contextmanager
def serve() -> Iterator[Served]:
    """Run it for the time of a block."""
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._note({})
            if served.models is None:
                self._send(404, {}, {})
            else:
                self._send(200, {}, {"data": [{"id": name} for name in served.models]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            turn = self._note(body)
            self._send(*served.reply(self.path, body, turn))

        def _note(self, body: dict[str, Any]) -> int:
            with served.lock:
                served.requests.append((self.path, body, dict(self.headers)))
                return len(served.bodies)

        def _send(self, status: int, headers: dict[str, str], content: Any) -> None:
            text = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of clients that went away."""

    server = Server(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
