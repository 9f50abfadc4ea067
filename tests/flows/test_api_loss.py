"""A Prefect API that goes away: what counts as that, and when a flow is entered again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from flows.api_loss import MOST_LOSSES, comes_back, entered_again, is_api_loss
from flows.errors import CharthouseError
from flows.processes import STOP, Interrupted, stoppable


class Healthy(BaseHTTPRequestHandler):
    """Answers as the API's health check does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Healthy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/api"
    monkeypatch.setenv("PREFECT_API_URL", address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def nobody_asks_to_stop_after_a_test() -> Iterator[None]:
    yield
    with stoppable():
        pass


def status_error(code: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://127.0.0.1/api")
    return httpx.HTTPStatusError("", request=request, response=httpx.Response(code))


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (httpx.ConnectError("refused"), True),
        (httpx.ReadTimeout("late"), True),
        (httpx.RemoteProtocolError("cut off"), True),
        (status_error(503), True),
        (RuntimeError("Failed to reach API at http://127.0.0.1:1/api"), True),
        (status_error(422), False),
        (RuntimeError("something else"), False),
        (CharthouseError("no disk"), False),
    ],
)
def test_loss_is_told_from_other_errors(error: Exception, lost: bool) -> None:
    assert is_api_loss(error) is lost


def test_flow_is_entered_again_when_the_api_is_back(api: str) -> None:
    said: list[str] = []
    entries: list[int] = []

    def enter() -> None:
        entries.append(1)
        if len(entries) < 3:
            raise httpx.ConnectError("refused")

    entered_again(enter, said.append)
    assert len(entries) == 3
    assert len(said) == 2


def test_api_that_goes_away_again_and_again_is_given_up(api: str) -> None:
    entries: list[int] = []

    def enter() -> None:
        entries.append(1)
        raise httpx.ConnectError("refused")

    with pytest.raises(CharthouseError, match="does not answer any more"):
        entered_again(enter, lambda line: None)
    assert len(entries) == MOST_LOSSES


def test_other_errors_are_not_tried_again(api: str) -> None:
    entries: list[int] = []

    def enter() -> None:
        entries.append(1)
        raise CharthouseError("no disk")

    with pytest.raises(CharthouseError, match="no disk"):
        entered_again(enter, lambda line: None)
    assert len(entries) == 1


def test_waiting_for_the_api_ends_in_time_and_when_asked() -> None:
    closed = "http://127.0.0.1:1/api"
    assert not comes_back(closed, seconds=0.6)
    with stoppable():
        STOP.ask()
        with pytest.raises(Interrupted):
            comes_back(closed)
