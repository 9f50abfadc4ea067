"""BioGPT's tokenizer: the published ids, and the characters they came from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BioGptTokenizer as PublishedTokenizer

from flows.readers import iob, pubtator
from nlp.ner.biogpt.tokenizer import BioGptTokenizer, biogpt_tokenizer
from nlp.ner.errors import ModelError

Encode = Callable[[str], list[int]]


def _published(folder: Path) -> Encode:
    """Ids by transformers; what looks like a special token is text, as everywhere here."""
    tokenizer = PublishedTokenizer.from_pretrained(folder, split_special_tokens=True)

    def encode(text: str) -> list[int]:
        ids: list[int] = tokenizer(text)["input_ids"]
        return ids

    return encode


@pytest.fixture(scope="module")
def tokenizer(biogpt_folder: Path) -> BioGptTokenizer:
    return biogpt_tokenizer(biogpt_folder)


@pytest.fixture(scope="module")
def published(sacremoses: Any, biogpt_folder: Path) -> Encode:
    return _published(biogpt_folder)


@pytest.fixture
def folder(biogpt_folder: Path, tmp_path: Path) -> Path:
    """A copy of a model that a test may damage."""
    return shutil.copytree(biogpt_folder, tmp_path / "copy")


def _assert_exact_offsets(tokenizer: BioGptTokenizer, text: str) -> None:
    encoding = tokenizer.encode(text, add_special_tokens=False)
    assert len(encoding.ids) == len(encoding.offsets) == len(encoding.word_ids)
    covered = {place for start, end in encoding.offsets for place in range(start, end)}
    kept = {place for place, c in enumerate(text) if c > "\x1f" and not c.isspace()}
    assert kept <= covered
    assert all("\0" <= text[place] < " " for place in covered - kept)  # inside a word, removed
    tokens = list(zip(encoding.word_ids, encoding.offsets, strict=True))
    for start, end in encoding.offsets:
        assert start < end
        assert text[start:end].strip() == text[start:end]
    for (word, (start, end)), (next_word, (next_start, next_end)) in pairwise(tokens):
        assert start <= next_start
        assert end <= next_end
        if next_word == word:
            between = text[end:next_start]
            assert all(c < " " for c in between)
            assert start == next_start or end <= next_start or text[next_start] in "'-DOTMULTI"
        else:
            assert next_word == (word or 0) + 1
            assert end <= next_start


def test_offsets_index_the_text(tokenizer: BioGptTokenizer) -> None:
    text = "\n The patient's  well-known\tfever... "
    encoding = tokenizer.encode(text, add_special_tokens=False)
    spans: dict[int | None, list[tuple[int, int]]] = {}
    for word, span in zip(encoding.word_ids, encoding.offsets, strict=True):
        spans.setdefault(word, []).append(span)
    words = [text[word[0][0] : word[-1][1]] for word in spans.values()]
    assert words == ["The", "patient", "'s", "well", "-", "known", "fever", "..."]


def test_the_start_token_stands_before_the_text(tokenizer: BioGptTokenizer) -> None:
    bare = tokenizer.encode("fever", add_special_tokens=False)
    full = tokenizer.encode("fever", add_special_tokens=True)
    assert full.ids == [2, *bare.ids]
    assert full.special_tokens_mask == [1] + [0] * len(bare.ids)
    assert full.word_ids == [None, *bare.word_ids]
    assert full.offsets == [(0, 0), *bare.offsets]
    assert (tokenizer.start_token, tokenizer.pad_token) == (2, 1)


def test_what_looks_like_a_special_token_is_text(tokenizer: BioGptTokenizer) -> None:
    encoding = tokenizer.encode("a </s> b", add_special_tokens=False)
    assert tokenizer.start_token not in encoding.ids
    assert (2, 3) in encoding.offsets


def test_unknown_characters_keep_their_places(tokenizer: BioGptTokenizer) -> None:
    encoding = tokenizer.encode("中 😀", add_special_tokens=False)
    assert encoding.ids == [3, 3]
    assert encoding.offsets == [(0, 1), (2, 3)]


def test_a_batch_is_its_texts(tokenizer: BioGptTokenizer) -> None:
    texts = ["aspirin", "", "no fever."]
    assert tokenizer.encode_batch(texts) == [tokenizer.encode(text) for text in texts]
    assert tokenizer.encode_batch([]) == []
    assert tokenizer.encode("", add_special_tokens=False).ids == []


def test_a_word_of_any_length(tokenizer: BioGptTokenizer) -> None:
    text = "aspirin" * 3_000
    _assert_exact_offsets(tokenizer, text)
    assert set(tokenizer.encode(text, add_special_tokens=False).word_ids) == {0}


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_offsets_are_exact_for_any_unicode(
    data: st.DataObject, tokenizer: BioGptTokenizer, hard_texts: st.SearchStrategy[str]
) -> None:
    _assert_exact_offsets(tokenizer, data.draw(hard_texts))


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_ids_are_the_published_ones(
    data: st.DataObject,
    tokenizer: BioGptTokenizer,
    published: Encode,
    hard_texts: st.SearchStrategy[str],
) -> None:
    text = data.draw(hard_texts)
    assert tokenizer.encode(text).ids == published(text)


def test_real_corpora(data_dir: Path, sacremoses: Any, make_biogpt: Callable[..., Path]) -> None:
    files = [*(data_dir / "corpora").glob("*.pubtator.gz")]
    texts = [gold.text for file in sorted(files) for gold in islice(pubtator.read_gold(file), 60)]
    for file in sorted((data_dir / "corpora" / "iob").glob("*.tsv.gz")):
        texts += [gold.text for gold in islice(iob.read_gold(file), 40)]
    assert len(texts) > 500
    folder = make_biogpt(texts[::2], size=4_000)
    tokenizer, published = biogpt_tokenizer(folder), _published(folder)
    for text in texts:
        assert tokenizer.encode(text).ids == published(text)
        _assert_exact_offsets(tokenizer, text)


@pytest.mark.parametrize(
    "edit",
    [
        lambda merges: "#version: 0.2\n" + merges,
        lambda merges: merges.removesuffix("\n"),  # the last merge is lost
        lambda merges: merges + merges.partition("\n")[0] + "\n",  # the first becomes the last
        lambda merges: merges.replace("\n", "\n\n", 3),
        lambda merges: "".join(f"{' '.join(m.split()[:2])}\n" for m in merges.splitlines()),
        lambda merges: "",
    ],
    ids=["version", "no line end", "twice", "blank lines", "no counts", "empty"],
)
def test_merges_are_read_as_published(
    folder: Path, sacremoses: Any, edit: Callable[[str], str]
) -> None:
    path = folder / "merges.txt"
    path.write_text(edit(path.read_text("utf-8")), "utf-8")
    text = "The patient's aspirin-induced asthma, (e.g. 5-fluorouracil) pressure & follow-up."
    assert biogpt_tokenizer(folder).encode(text).ids == _published(folder)(text)


@pytest.mark.parametrize("name", ["special_tokens_map.json", "tokenizer_config.json"])
@pytest.mark.parametrize("start", ["<s>", {"content": "<s>", "lstrip": False}])
def test_special_tokens_may_have_other_names(folder: Path, name: str, start: object) -> None:
    (folder / name).write_text(json.dumps({"sep_token": start}), "utf-8")
    assert biogpt_tokenizer(folder).encode("").ids == [0]


def test_a_folder_saved_by_transformers(folder: Path, sacremoses: Any, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    PublishedTokenizer.from_pretrained(folder).save_pretrained(saved)
    text = "aspirin-induced fever"
    assert biogpt_tokenizer(saved).encode(text) == biogpt_tokenizer(folder).encode(text)


@pytest.mark.parametrize("file", ["vocab.json", "merges.txt"])
def test_a_missing_file(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(ModelError, match=f"{file} cannot be read"):
        biogpt_tokenizer(folder)


@pytest.mark.parametrize(
    ("content", "hint"),
    [("{", "cannot be read"), ("[]", "no JSON object"), ('{"a": 1}', "lacks the token <unk>")],
)
def test_a_damaged_vocabulary(folder: Path, content: str, hint: str) -> None:
    (folder / "vocab.json").write_text(content, "utf-8")
    with pytest.raises(ModelError, match=hint):
        biogpt_tokenizer(folder)


def test_added_tokens_are_refused(folder: Path) -> None:
    added = {"added_tokens_decoder": {"999": {"content": "BRCA1", "special": False}}}
    (folder / "tokenizer_config.json").write_text(json.dumps(added), "utf-8")
    with pytest.raises(ModelError, match="adds tokens of its own"):
        biogpt_tokenizer(folder)
