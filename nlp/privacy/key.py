"""The secret that hashes, surrogates and date shifts are made with."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat

from nlp.privacy import PrivacyError
from nlp.settings import PrivacySettings

SHORTEST = 16


def read_key(settings: PrivacySettings) -> bytes:
    """The secret that the settings name.

    Raises:
        PrivacyError: it is not there, too short, or a file that others can read.
    """
    if settings.key_file is not None:
        try:
            with settings.key_file.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise PrivacyError(
                        f"privacy.key_file {settings.key_file} can be read by others: chmod 600 it"
                    )
                secret = file.read().strip()
        except OSError as error:
            raise PrivacyError(
                f"privacy.key_file {settings.key_file} cannot be read ({error.strerror})"
            ) from None
        where = f"file {settings.key_file}"
    else:
        secret = os.environ.get(settings.key_variable, "").encode()
        where = f"environment variable {settings.key_variable}"
    if len(secret) < SHORTEST:
        raise PrivacyError(
            f"privacy.mode {settings.mode} needs a secret of at least {SHORTEST} characters in "
            f"{where}: for example the output of `openssl rand -hex 32`, kept where the same "
            "patients must have the same pseudonyms"
        )
    return secret


def keyed(key: bytes, purpose: str, value: str) -> str:
    """HMAC-SHA-256 of a value, hexadecimal; another one for every purpose."""
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()
