"""Shared storage: files whole or not at all, for their owner alone, told without secrets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from flows.storage import Storage, StorageError, check_url
from flows.work import file_sha256


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    (tmp_path / "shared").mkdir(mode=0o755)
    return Storage((tmp_path / "shared").as_uri())


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_put_is_got_under_its_key(storage: Storage, tmp_path: Path) -> None:
    sent = write(tmp_path / "sent", "Asthma.")
    storage.put(sent, "run/shards/1")
    storage.get("run/shards/1", tmp_path / "got" / "back", file_sha256(sent))
    assert (tmp_path / "got" / "back").read_bytes() == sent.read_bytes()
    assert storage.keys("run") == ["run/shards/1"]
    assert storage.has("run/shards/1") and not storage.has("run/shards/2")
    assert storage.keys("other") == []


def test_files_and_folders_are_their_owners_alone_but_for_the_users_own_folder(
    storage: Storage, tmp_path: Path
) -> None:
    storage.put(write(tmp_path / "sent", "Asthma."), "run/shards/1")
    shared = tmp_path / "shared"
    modes = [stat.S_IMODE((shared / p).stat().st_mode) for p in ("run", "run/shards")]
    assert modes == [0o700, 0o700]
    assert stat.S_IMODE((shared / "run/shards/1").stat().st_mode) == 0o600
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755


def test_a_file_that_was_altered_is_not_taken(storage: Storage, tmp_path: Path) -> None:
    sent = write(tmp_path / "sent", "Asthma.")
    storage.put(sent, "1")
    write(tmp_path / "shared" / "1", "Asthmo.")
    with pytest.raises(StorageError, match="not as it was written"):
        storage.get("1", tmp_path / "back", file_sha256(sent))
    assert not (tmp_path / "back").exists()


def test_removing_takes_all_below_and_nothing_else(storage: Storage, tmp_path: Path) -> None:
    for key in ("a/1", "a/b/2", "ab/3"):
        storage.put(write(tmp_path / "sent", key), key)
    storage.remove("a")
    storage.remove("a")
    storage.remove("nothing")
    assert storage.keys("") == ["ab/3"]
    storage.remove("ab/3")
    assert storage.keys("") == []


def test_a_folder_that_may_not_be_written_is_told_at_the_door(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="cannot be written"):
        Storage((tmp_path / "file").as_uri()).check()
    usable = Storage((tmp_path / "new").as_uri())
    usable.check()
    assert usable.keys("") == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("s3://user:secret@bucket/x", "environment"),
        ("nowhere://x", "nothing here speaks nowhere"),
        ("simplecache::file:///x", "chains"),
    ],
)
def test_urls_that_cannot_be_used_are_told_without_their_secrets(url: str, told: str) -> None:
    with pytest.raises(StorageError, match=told) as raised:
        check_url(url)
    assert "secret" not in str(raised.value)
