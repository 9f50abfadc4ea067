"""Storage and sources on a real S3 server on loopback."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from flows.storage import Storage, StorageError
from tests.flows.conftest import Bench, write_jsonl

pytestmark = pytest.mark.usefixtures("s3")


def test_storage_keeps_lists_and_removes_objects(tmp_path: Path) -> None:
    storage = Storage("s3://ward/staging")
    storage.check()
    (tmp_path / "sent").write_text("Asthma.")
    for key in ("r/1", "r/a/2", "rr/3"):
        storage.put(tmp_path / "sent", key)
    assert storage.keys("r") == ["r/1", "r/a/2"]
    storage.get("r/a/2", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "Asthma."
    storage.remove("r")
    storage.remove("r")
    assert not storage.has("r/1") and storage.has("rr/3")
    storage.remove("rr")
    assert storage.keys("") == []


def test_what_another_process_has_put_is_seen(tmp_path: Path) -> None:
    storage = Storage("s3://ward/other")
    assert storage.keys("r") == []
    other = fsspec.filesystem("s3", skip_instance_cache=True)
    other.pipe_file("ward/other/r/1", b"Fever.")
    assert storage.keys("r") == ["r/1"] and storage.has("r/1")
    other.rm("ward/other/r/1")
    assert storage.keys("r") == [] and not storage.has("r/1")


def test_a_bucket_that_is_not_there_is_told_at_the_door() -> None:
    with pytest.raises(StorageError, match=r"s3://no-such-bucket/x cannot be written"):
        Storage("s3://no-such-bucket/x").check()


def test_objects_are_sources_known_by_their_tags(bench: Bench, tmp_path: Path) -> None:
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    for name, text in (("a", "Asthma."), ("b", "Fever.")):
        note = write_jsonl(tmp_path / f"{name}.jsonl", {"note_id": "1", "text": text})
        files.put_file(str(note), f"ward/notes/{name}.jsonl")
    counts = bench.run("s3://ward/notes/*.jsonl")
    assert (counts.new, counts.skipped) == (2, 0)
    tags = {files.info(f"ward/notes/{name}.jsonl")["ETag"] for name in "ab"}
    assert {tag for (tag,) in bench.query("SELECT etag FROM sources")} == tags
    files.pipe_file("ward/notes/empty.jsonl", b"")
    note = write_jsonl(tmp_path / "a.jsonl", {"note_id": "1", "text": "Asthmas"})
    files.put_file(str(note), "ward/notes/a.jsonl")  # of the same size
    counts = bench.run("s3://ward/notes/*.jsonl")
    assert (counts.replaced, counts.skipped, counts.rejected) == (1, 1, 1)
