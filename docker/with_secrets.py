"""Run a command with secrets from files: python with_secrets.py COMMAND ARGUMENT...

For each name below, ``NAME_FILE`` may name a file, as Docker's and Kubernetes' secrets are; its
content becomes ``NAME`` in the command's environment. So no secret stands in an image, in a compose
file, or on a command line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

SECRETS = (
    "PREFECT_SERVER_DATABASE_PASSWORD",
    "PREFECT_SERVER_API_AUTH_STRING",
    "PREFECT_API_AUTH_STRING",
    "PREFECT_API_KEY",
    "UMLS_API_KEY",
    "CHARTHOUSE_PRIVACY_KEY",
)


def main() -> None:
    """Read the files and become the command."""
    if len(sys.argv) < 2:
        sys.exit("with_secrets: no command is given")
    for name in SECRETS:
        file = os.environ.pop(f"{name}_FILE", "")
        if not file:
            continue
        try:
            os.environ[name] = Path(file).read_text("utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError):
            sys.exit(f"with_secrets: the file of {name} cannot be read")
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        sys.exit(f"with_secrets: {sys.argv[1]} cannot be run ({error.strerror})")


if __name__ == "__main__":
    main()
