"""Requests to an endpoint: no proxy, no redirect, retries, and errors that hold no text."""

from __future__ import annotations

import json
import logging
import random
import ssl
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import certifi
import httpx

from flows.generating.endpoint_address import EndpointAddress
from nlp.generation.errors import GenerationError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
"""Seconds before the first repetition, doubled each time, and at most."""

_LOOK_SECONDS = 10.0
_BUSY = (429, 503)
_OF_REQUEST = (400, 409, 413, 422)
"""Statuses that say something about one request, not about the server."""

for _name in ("httpx", "httpcore"):  # they would tell each request
    logging.getLogger(_name).setLevel(logging.WARNING)


class EndpointError(GenerationError):
    """The endpoint as a whole cannot be used: no request would succeed."""


@dataclass(frozen=True)
class Failure:
    """A request that failed alone; ``reason`` holds no text. ``is_server`` blames the server."""

    reason: str
    is_server: bool = False


class EndpointClient:
    """A connection pool to one endpoint; usable from many threads."""

    def __init__(
        self, address: EndpointAddress, *, timeout: float, retries: int, parallel: int = 1
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            address: where to.
            timeout: seconds for one request.
            retries: times a request is repeated that the server refused or did not take.
            parallel: connections at most.
        """
        self._host = address.host
        self._timeout = timeout
        self._retries = retries
        self._stopped = threading.Event()
        # Both the system's authorities, for a hospital's own, and those that Python ships.
        verify = ssl.create_default_context()
        verify.load_verify_locations(certifi.where())
        headers = {"Content-Type": "application/json"}
        if address.key:
            headers["Authorization"] = f"Bearer {address.key}"
        self._client = httpx.Client(
            base_url=address.url,
            headers=headers,
            verify=verify,
            timeout=httpx.Timeout(timeout, connect=min(timeout, _LOOK_SECONDS)),
            limits=httpx.Limits(max_connections=parallel, max_keepalive_connections=parallel),
            follow_redirects=False,
            trust_env=False,  # a proxy of the environment would see what is sent
        )

    def stop(self) -> None:
        """Give up what waits between two tries; requests under way come to their end."""
        self._stopped.set()

    def close(self) -> None:
        """Close all connections; only once no thread reads from one.

        A read from a connection that another thread has closed may never return.
        """
        self.stop()
        self._client.close()

    def models(self) -> list[str] | None:
        """Names of the models it says it has; None where it does not tell.

        Raises:
            EndpointError: nobody answers, the key is refused, or it sends elsewhere.
        """
        sent = self._send("GET", "/models", None, timeout=_LOOK_SECONDS)
        response = sent if isinstance(sent, httpx.Response) else None
        if response is None or response.status_code >= 500:
            what = sent.reason if isinstance(sent, Failure) else f"it answers {sent.status_code}"
            raise EndpointError(f"endpoint {self._host} cannot be used: {what}; is it running?")
        self._check_whole(response)
        try:
            return [str(model["id"]) for model in response.json()["data"]]
        except (ValueError, KeyError, TypeError):
            return None

    def is_alive(self) -> bool:
        """Whether anything answers."""
        sent = self._send("GET", "/models", None, timeout=_LOOK_SECONDS)
        return isinstance(sent, httpx.Response) and sent.status_code < 500

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | Failure:
        """Send a request until it is answered or given up.

        Raises:
            EndpointError: no request would succeed: nobody listens, the key is refused, there is no
                such path or model, it sends elsewhere, or it stays too busy.
        """
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            sent = self._send("POST", path, body)
            if isinstance(sent, Failure):
                if not sent.is_server:
                    return Failure(sent.reason, is_server=True)
                if last:
                    raise EndpointError(
                        f"endpoint {self._host} cannot be used: {sent.reason}; is it running?"
                    )
                self._pause(attempt, None)
                continue
            if sent.status_code < 300:
                return self._read(sent)
            self._check_whole(sent)
            if sent.status_code in (404, 405):
                raise EndpointError(
                    f"endpoint {self._host} has no such path or model ({sent.status_code}); check "
                    "endpoint.url, which mostly ends in /v1, endpoint.chat, and the model's name"
                )
            if sent.status_code in _BUSY and last:
                raise EndpointError(
                    f"endpoint {self._host} was too busy {attempt + 1} times ({sent.status_code}); "
                    "lower endpoint.parallel, or run the command again later: it goes on"
                )
            if sent.status_code in _OF_REQUEST or last or sent.status_code < 429:
                return Failure(
                    f"the endpoint answered {sent.status_code}", is_server=sent.status_code >= 500
                )
            self._pause(attempt, sent.headers.get("Retry-After"))
        raise AssertionError("the last attempt always ends")

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, timeout: float | None = None
    ) -> httpx.Response | Failure:
        """One attempt. What httpx raises holds the request, so nothing of it is passed on."""
        if self._stopped.is_set():
            raise EndpointError(f"endpoint {self._host}: given up")
        content = None if body is None else json.dumps(body).encode("ascii")
        waits = httpx.USE_CLIENT_DEFAULT if timeout is None else timeout
        try:
            return self._client.request(method, path, content=content, timeout=waits)
        except httpx.ConnectError as error:
            unsafe = "CERTIFICATE_VERIFY_FAILED" in str(error)
            reason = "its certificate is not trusted" if unsafe else "no connection"
            failure = Failure(reason, is_server=True)
        except httpx.ConnectTimeout:
            failure = Failure("no connection in time", is_server=True)
        except httpx.TimeoutException:
            failure = Failure(f"no answer within {timeout or self._timeout:g} s")
        except httpx.HTTPError as error:
            kind = type(error).__name__
            failure = Failure(f"the connection broke ({kind})", is_server=True)
        except RuntimeError:  # closed by another thread
            failure = Failure("given up", is_server=True)
        return failure

    def _check_whole(self, response: httpx.Response) -> None:
        """Raise where the answer would be the same to every request."""
        status = response.status_code
        if 300 <= status < 400:
            raise EndpointError(
                f"endpoint {self._host} sends elsewhere ({status}), which is never followed; "
                "give the final address in endpoint.url"
            )
        if status in (401, 403):
            raise EndpointError(
                f"endpoint {self._host} refuses the key ({status}); check endpoint.key_variable or "
                "endpoint.key_file"
            )

    def _read(self, response: httpx.Response) -> dict[str, Any] | Failure:
        try:
            answer = response.json()
        except ValueError:
            return Failure("the endpoint's answer is no JSON")
        return answer if isinstance(answer, dict) else Failure("the endpoint's answer is no object")

    def _pause(self, attempt: int, retry_after: str | None) -> None:
        wished = _seconds(retry_after)
        pause = _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0) if wished is None else wished
        self._stopped.wait(min(pause, _LONGEST_PAUSE))


def _seconds(retry_after: str | None) -> float | None:
    """Seconds of a Retry-After header: a number, or a time to wait for."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        then = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.fromtimestamp(time.time(), UTC)).total_seconds())
