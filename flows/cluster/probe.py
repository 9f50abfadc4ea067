"""What the workers of a cluster are asked at the door of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flows.errors import CharthouseError, kind_and_place
from flows.storage import Storage
from nlp.privacy import PrivacyError
from nlp.privacy.key import keyed, read_key
from nlp.settings import PrivacySettings

Probe = Callable[[str, str, str | None, str | None], dict[str, Any]]

Answers = Mapping[str, dict[str, Any]]
"""What each worker tells (:func:`look`), by its name in the cluster."""


def network() -> str:
    """Names this machine's loopback network: only processes of one name reach each other there."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"{boot} {Path('/proc/self/ns/net').readlink()}"


def make_probe() -> Probe:
    """A function that is sent to a worker by value, so that it runs without charthouse too."""

    def probe(storage: str, key: str, api: str | None, privacy: str | None) -> dict[str, Any]:
        import platform

        told: dict[str, Any] = {"host": platform.node(), "version": None}
        try:
            import flows

            told["version"] = flows.__version__
            from flows.cluster.probe import look
        except ImportError:
            return told
        return told | look(storage, key, api, privacy)

    return probe


def look(storage: str, key: str, api: str | None, privacy: str | None = None) -> dict[str, Any]:
    """What this worker sees.

    Args:
        storage: URL of the storage that workers and main process share.
        key: a file in it that the main process has written.
        api: address of the Prefect API, if one is configured.
        privacy: settings of privacy as JSON, where it is switched on.

    Returns:
        ``network``: see :func:`network`; ``prefect``: whether the API answers; ``problem``: what
        is wrong with the storage, else none; ``answer``: key of the file written there;
        ``secret``: see :func:`proof`; ``no_secret``: what is wrong with it, else none.
    """
    from flows.prefect_server import api_answers

    told: dict[str, Any] = {
        "network": network(),
        "prefect": api is None or api_answers(api),
        "problem": None,
        "answer": f"{key}-{os.urandom(4).hex()}",
        "secret": None,
        "no_secret": None,
    }
    if privacy is not None:
        try:
            told["secret"] = proof(PrivacySettings.model_validate_json(privacy), key)
        except PrivacyError as error:
            told["no_secret"] = str(error)
    try:
        with TemporaryDirectory() as folder:
            local = Path(folder, "probe")
            Storage(storage).get(key, local)
            Storage(storage).put(local, told["answer"])
    except CharthouseError as error:
        told["problem"] = error.problem
    except OSError as error:
        told["problem"] = kind_and_place(error)
    return told


def proof(settings: PrivacySettings, question: str) -> str:
    """Shows that this machine has the secret of privacy, without the secret: hashes the question.

    Raises:
        PrivacyError: it has none.
    """
    return keyed(read_key(settings), "proof", question)


@contextmanager
def question(storage: Storage) -> Iterator[str]:
    """A file that workers are asked to read and copy; copies and all are removed."""
    key = f"probe-{os.urandom(8).hex()}/asked"
    try:
        with TemporaryDirectory() as folder:
            asked = Path(folder, "asked")
            asked.write_text(key, encoding="ascii")
            storage.put(asked, key)
        yield key
    finally:
        storage.remove(key.partition("/")[0])


def collect(
    answers: Mapping[str, Any], storage: Storage, privacy: PrivacySettings | None, question: str
) -> Answers:
    """Read back what the workers wrote, and compare their proofs of the secret.

    Where they cannot be read, that is their ``problem``; where a secret is another, ``no_secret``.

    Raises:
        CharthouseError: a worker could not run the probe at all.
    """
    expected = proof(privacy, question) if privacy is not None else None
    with TemporaryDirectory() as folder:
        for worker, told in answers.items():
            if isinstance(told, BaseException):
                raise CharthouseError(
                    f"worker {worker} cannot run a function of ours ({kind_and_place(told)})",
                    "Install the same Python and the same charthouse there as here",
                )
            if told.get("answer") and not told["problem"]:
                try:
                    storage.get(told["answer"], Path(folder, "answer"))
                except CharthouseError as error:
                    told["problem"] = f"what it writes is not seen here: {error.problem}"
            if told.get("secret") and told["secret"] != expected:
                told["no_secret"] = "its secret of privacy is another one"
    return answers
