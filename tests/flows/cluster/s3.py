"""An S3 server on loopback, in a process of its own: ``python -m tests.flows.cluster.s3 PORT``."""

from __future__ import annotations

import sys
import threading

from moto.server import ThreadedMotoServer


def serve(port: int) -> None:
    """Serve S3 until the process is ended."""
    ThreadedMotoServer("127.0.0.1", port, verbose=False).start()
    threading.Event().wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
