"""The model ``endpoint:NAME``: opened, checked at the door, fingerprinted."""

from __future__ import annotations

import hashlib

from flows.errors import CharthouseError
from flows.generating.endpoint_address import endpoint_address
from flows.generating.endpoint_model import PREFIX, EndpointModel
from flows.generating.endpoint_requests import EndpointClient, EndpointError
from nlp.language_settings import EndpointSettings


def open_endpoint(name: str, settings: EndpointSettings) -> EndpointModel:
    """The model ``endpoint:NAME``; nothing is sent yet.

    Raises:
        CharthouseError: the address is not allowed or none, or the key cannot be read.
    """
    return EndpointModel(served_name(name), endpoint_address(settings), settings)


def check_endpoint(name: str, settings: EndpointSettings) -> tuple[str, ...]:
    """See at the door that an endpoint may be used, answers and has the model.

    Returns:
        What the user should know before texts are sent.

    Raises:
        CharthouseError: it may not or does not.
    """
    address = endpoint_address(settings)
    model = EndpointModel(served_name(name), address, settings)
    problem = ""
    try:
        model.check()
    except EndpointError as error:
        problem = str(error)
    finally:
        model.close()
    if problem:
        raise CharthouseError(problem)
    return address.warnings


def list_models(settings: EndpointSettings) -> tuple[list[str], tuple[str, ...]]:
    """Names of the models that an endpoint lists, and what the user should know of it.

    Raises:
        CharthouseError: it may not be asked, or does not answer.
    """
    address = endpoint_address(settings)
    client = EndpointClient(address, timeout=settings.timeout_seconds, retries=0)
    problem = ""
    models: list[str] = []
    try:
        models = client.models() or []
    except EndpointError as error:
        problem = str(error)
    finally:
        client.close()
    if problem:
        raise CharthouseError(problem)
    return models, address.warnings


def endpoint_fingerprint(name: str, settings: EndpointSettings) -> str:
    """SHA-256 of the model's name there and ``endpoint.revision``.

    Its files are unseen. The host is no part of it: a model that moves to another server writes
    the same; one that is replaced under its old name needs another revision.
    """
    said = "\0".join((PREFIX + served_name(name), settings.revision or ""))
    return hashlib.sha256(said.encode()).hexdigest()


def served_name(name: str) -> str:
    """NAME of ``endpoint:NAME``.

    Raises:
        CharthouseError: it is empty.
    """
    served = name.removeprefix(PREFIX).strip()
    if not served:
        raise CharthouseError(
            "setting generation.model: endpoint: names no model", "Write it as endpoint:NAME"
        )
    return served
