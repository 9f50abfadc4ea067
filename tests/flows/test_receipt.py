"""Staged output: whole or absent, and refused when it is not what its receipt says."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from flows.receipt import RECEIPT, StagingError, check, finished_receipts, read_receipt, stage

FRAME = {"mentions": pl.DataFrame({"a": [1, 2]}), "rejects": pl.DataFrame({"b": [3]})}


def test_staged_output_is_found_again_by_its_receipt(tmp_path: Path) -> None:
    receipt = stage(tmp_path, 7, FRAME, {"ner": 1.5})
    assert finished_receipts(tmp_path) == {7: receipt}
    assert receipt.counts == {"mentions": 2, "rejects": 1}
    assert pl.read_parquet(receipt.file("mentions")).equals(FRAME["mentions"])


def test_staged_files_are_for_their_owner_only(tmp_path: Path) -> None:
    receipt = stage(tmp_path / "staged", 1, FRAME, {})
    assert receipt.path.parent.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in receipt.path.iterdir())


@pytest.mark.parametrize("damage", ["truncate", "alter", "remove"])
def test_damaged_output_is_refused_and_swept(tmp_path: Path, damage: str) -> None:
    receipt = stage(tmp_path, 7, FRAME, {})
    file = receipt.file("mentions")
    content = file.read_bytes()
    if damage == "truncate":
        file.write_bytes(content[:-1])
    elif damage == "alter":
        file.write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])
    else:
        file.unlink()
    with pytest.raises(StagingError, match="shard 7"):
        check(receipt)
    assert finished_receipts(tmp_path) == {}
    assert not receipt.path.exists()


def test_unfinished_attempt_is_no_receipt(tmp_path: Path) -> None:
    receipt = stage(tmp_path, 7, FRAME, {})
    (receipt.path / "receipt.json").unlink()
    (tmp_path / ".00008-abc.tmp").mkdir()
    assert finished_receipts(tmp_path) == {}
    assert list(tmp_path.glob("0*")) == []


def test_a_receipt_with_a_changed_bit_is_none_or_says_the_same(tmp_path: Path) -> None:
    """Another shard's number in it would load rows under the wrong documents."""
    receipt = stage(tmp_path, 7, FRAME, {"ner": 1.5e-7})
    path = receipt.path / RECEIPT
    content = path.read_bytes()
    refused = 0
    for bit in range(len(content) * 8):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            assert read_receipt(path) == receipt  # 1e-7 for 1E-7
        except StagingError:
            refused += 1
    assert refused > len(content) * 7
