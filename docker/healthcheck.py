"""Is what runs in this container well? Exit code 0 says yes.

``HEALTH_URL`` is asked: the Prefect server's ``/api/health``, the worker's ``/health``, which says
no when it has not asked its server for work in time, or Dask's ``/health``. Without it nothing is
served here, and a container that runs is well.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 8


def is_well(url: str) -> bool:
    """Whether the address answers with a 2xx status."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=TIMEOUT_SECONDS) as answer:
            return 200 <= answer.status < 300
    except (urllib.error.URLError, OSError, ValueError):
        return False


if __name__ == "__main__":
    address = os.environ.get("HEALTH_URL", "")
    sys.exit(0 if not address or is_well(address) else 1)
