"""Settings: file under environment under flags, and errors that name the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import CharthouseError
from flows.settings import load_settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "charthouse.toml"
    path.write_text('[execution]\nworkers = 3\nretries = 5\n[ner]\nmodels = ["a", "b"]\n')
    return path


def test_flags_win_over_environment_over_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings(config, {}).execution.workers == 3
    monkeypatch.setenv("CHARTHOUSE_EXECUTION__WORKERS", "4")
    assert load_settings(config, {}).execution.workers == 4
    settings = load_settings(config, {"execution": {"workers": 5}})
    assert (settings.execution.workers, settings.execution.retries) == (5, 5)
    assert settings.ner.models == ("a", "b")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[execution]\nworkers = -1\n", "execution.workers"),
        ("[execution]\nwrokers = 1\n", "execution.wrokers"),
        ("[ner]\nmodels = []\n", "ner.models"),
        ("[ner\n", "line 1"),
    ],
)
def test_bad_file_is_one_line_that_names_the_field(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(CharthouseError) as caught:
        load_settings(path, {})
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CharthouseError, match=r"nowhere\.toml"):
        load_settings(tmp_path / "nowhere.toml", {})
