"""Files of a model's folder that training leaves as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

_TOKENIZER = (
    *("tokenizer*.json", "vocab.*", "merges.txt", "special_tokens_map.json"),
    *("added_tokens.json", "*.model", "chat_template.jinja"),
)


def copy_tokenizer(base: Path, out: Path) -> None:
    """Copy the base's tokenizer, whatever form it has."""
    for pattern in _TOKENIZER:
        for path in base.glob(pattern):
            shutil.copyfile(path, out / path.name)
