"""Where an endpoint is, and whether texts may be sent there.

Notes are private. So the address is judged as the HTTP client reads it, by its exact host: no
prefix, suffix or other spelling of an allowed host passes. What a name resolves to is left to the
network it is in.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

import httpx

from flows.errors import CharthouseError
from flows.private_files import read_key
from nlp.language_settings import EndpointSettings

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_SHAPE = "Write it as http://HOST:PORT/v1"


@dataclass(frozen=True)
class EndpointAddress:
    """An endpoint that may be sent texts.

    Attributes:
        url: base of the API, without a slash at its end.
        host: name or address it is at.
        key: the API key; in memory only, and in no representation.
        warnings: what the user should know before texts are sent.
    """

    url: str
    host: str
    key: str | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()


def endpoint_address(settings: EndpointSettings) -> EndpointAddress:
    """Check address and key, without a connection.

    Raises:
        CharthouseError: there is no address, it is no plain one, its host is not allowed, or the
            key cannot be read.
    """
    url, host = _plain_address(settings.url)
    allowed = _same_host(host) in {_same_host(name) for name in settings.allow_hosts}
    if not allowed and not settings.any_host:
        raise CharthouseError(
            f"setting endpoint.url: texts may not be sent to {host}",
            f"Only to {', '.join(settings.allow_hosts) or 'no host at all'}; if it is inside your "
            "network, name it in endpoint.allow_hosts",
        )
    warnings = []
    if not allowed:
        warnings.append(
            f"endpoint.any_host: clinical text is sent to {host}, which endpoint.allow_hosts "
            "does not name"
        )
    if url.startswith("http:") and not _is_loopback(host):
        warnings.append(f"endpoint.url: text travels to {host} unencrypted; https protects it")
    return EndpointAddress(url, host, _key(settings), tuple(warnings))


def _plain_address(written: str | None) -> tuple[str, str]:
    """Base and host of an address that has nothing else in it."""
    if not written:
        raise CharthouseError("setting endpoint.url is missing", _SHAPE)
    if not written.isascii() or not written.isprintable() or re.search(r"[\s\\]", written):
        raise CharthouseError("setting endpoint.url has characters that no address has", _SHAPE)
    try:
        url = httpx.URL(written)
        host = url.raw_host.decode("ascii").lower()
    except (httpx.InvalidURL, ValueError, TypeError):
        raise CharthouseError("setting endpoint.url is no address", _SHAPE) from None
    if url.scheme not in ("http", "https"):
        raise CharthouseError("setting endpoint.url is neither http nor https", _SHAPE)
    if url.userinfo or "@" in written:
        raise CharthouseError(
            "setting endpoint.url holds a user name or password",
            "Say in endpoint.key_variable or endpoint.key_file where the secret is",
        )
    if url.query or url.fragment or "?" in written or "#" in written:
        raise CharthouseError("setting endpoint.url has more than a path", _SHAPE)
    if not _is_address(host) and not _HOST.fullmatch(host):
        raise CharthouseError("setting endpoint.url names no host", _SHAPE)
    return str(url).rstrip("/"), host


def _same_host(name: str) -> str:
    """A host as hosts are compared: addresses of IPv6 have many spellings, names two cases."""
    bare = name.strip().removeprefix("[").removesuffix("]")
    return str(ipaddress.ip_address(bare)) if _is_address(bare) else name.strip().lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # the zone of a link-local address may name an interface


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _key(settings: EndpointSettings) -> str | None:
    key = read_key("endpoint", settings.key_variable, settings.key_file)
    if key is None:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise CharthouseError(
            "the endpoint's key has characters that no key has", "Store it without anything else"
        )
    return key
