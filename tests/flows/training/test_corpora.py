from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows.errors import CharthouseError
from flows.training.corpora import DataRequest, TrainingData, read_data
from tests.flows.training.conftest import GoldRow, MakeGold, write_bioc, write_iob, write_pubtator

LONG = "It goes on and on, so that it stands in two corpora by no chance whatever. " * 2


def row(native_id: str, text: str, *words: tuple[str, str]) -> GoldRow:
    """A document whose mentions are the first occurrences of words, with their labels."""
    starts = [(text.index(word), word, label) for word, label in words]
    return native_id, text, [(start, start + len(word), label) for start, word, label in starts]


GOUT = row("1", "A gout and BRCA1.", ("gout", "SpecificDisease"), ("BRCA1", "GENE"))
COUGH = row("2", "A cough with fever.", ("cough", "Disease"), ("fever", "Modifier"))


def read(train: Path | tuple[Path, ...], dev: Path | None = None, **more: Any) -> TrainingData:
    files = train if isinstance(train, tuple) else (train,)
    return read_data(DataRequest(files, (dev,) if dev else (), **more))


def test_labels_of_known_corpora_become_ours(tmp_path: Path) -> None:
    data = read(
        write_pubtator(tmp_path / "a.pubtator", [GOUT]), write_bioc(tmp_path / "b.json", [COUGH])
    )
    assert data.labels == ("Disease", "Gene")
    assert data.train[0].annotated == {"Disease", "Gene"}
    assert data.train[0].texts[0].mentions == ((2, 6, "Disease"), (11, 16, "Gene"))
    assert data.dev[0].annotated == {"Disease"}
    assert data.dev[0].mentions() == {"Disease": 2}


def test_each_file_annotates_its_own_labels(tmp_path: Path) -> None:
    data = read(
        (
            write_pubtator(tmp_path / "genes.txt", [row("1", "BRCA1 .", ("BRCA1", "GENE"))]),
            write_iob(tmp_path / "cells.tsv", [row("", "some cells .", ("cells", "CL"))]),
            write_bioc(tmp_path / "b.json", [COUGH]),
        ),
        write_pubtator(tmp_path / "dev.txt", [GOUT]),
        annotates=("cells=Cell,Species",),
    )
    assert [sorted(corpus.annotated) for corpus in data.train] == [
        ["Gene"],
        ["Cell", "Species"],
        ["Disease"],
    ]
    assert data.train[1].mentions() == {"Cell": 1, "Species": 0}
    assert data.labels == ("Cell", "Disease", "Gene", "Species")


def test_rules_of_one_file_win_over_rules_of_all(tmp_path: Path) -> None:
    paths = (
        write_pubtator(tmp_path / "a.txt", [row("1", "x:y gout", ("gout", "D:1"), ("x:y", "B"))]),
        write_pubtator(tmp_path / "b.txt", [row("2", "x:y cough", ("cough", "D:1"))]),
    )
    dev = write_pubtator(tmp_path / "c.txt", [row("3", "gout", ("gout", "Gout"))])
    data = read(paths, dev, label_maps=("D:1=Disease", "a:D:1=Gout", "B="))
    assert [sorted(corpus.annotated) for corpus in data.train] == [["Gout"], ["Disease"]]
    assert data.train[0].texts[0].mentions == ((4, 8, "Gout"),)


def test_chosen_labels_are_learnt_in_their_order(tmp_path: Path) -> None:
    train = write_pubtator(tmp_path / "a.txt", [GOUT, COUGH])
    dev = write_pubtator(tmp_path / "b.txt", [row("3", "gout", ("gout", "Disease"))])
    assert read(train, dev, labels=("Gene", "Disease")).labels == ("Gene", "Disease")
    only = read(train, dev, labels=("Disease",))
    assert only.train[0].annotated == {"Disease"}
    assert only.train[0].mentions() == {"Disease": 3}


def test_a_text_of_dev_is_left_out_of_train(tmp_path: Path) -> None:
    long, short = row("1", LONG + "gout", ("gout", "D")), row("2", "a gout", ("gout", "D"))
    train = [long, short, row("3", "other gout", ("gout", "D"))]
    dev = [("77", *long[1:]), ("78", *short[1:])]
    data = read(write_pubtator(tmp_path / "a.txt", train), write_bioc(tmp_path / "b.json", dev))
    # The long text is the same whatever its id; a short one may stand in two by chance.
    assert data.left_out == 1
    assert [text.text for text in data.train[0].texts] == ["a gout", "other gout"]
    same = read(write_pubtator(tmp_path / "a.txt", train), write_bioc(tmp_path / "c.json", [short]))
    assert same.left_out == 1


def test_a_share_is_set_apart_by_document_and_seed(tmp_path: Path, make_gold: MakeGold) -> None:
    documents = make_gold(40, seed=1)
    path = write_pubtator(tmp_path / "a.txt", documents)
    turned = write_pubtator(tmp_path / "b.txt", documents[::-1])
    first, again = read(path, dev_share=0.2), read(turned, dev_share=0.2)
    other = read(path, dev_share=0.2, split_seed=1)
    texts = [{text.text for text in data.dev[0].texts} for data in (first, again, other)]
    assert len(texts[0]) == 8
    assert texts[0] == texts[1] != texts[2]
    assert len(first.train[0].texts) == 32
    assert not texts[0] & {text.text for text in first.train[0].texts}


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"label_maps": ("Disese=Disease",)}, "no file has the label Disese. Labels there are"),
        ({"label_maps": ("a:Modifier=X",)}, "file a does not have the label Modifier"),
        ({"label_maps": ("Disease",)}, "label map Disease is not understood"),
        ({"label_maps": ("=x",)}, "label map =x is not understood"),
        ({"label_maps": ("GENE=A", "GENE=B")}, "label map GENE=B contradicts"),
        ({"annotates": ("c=Disease",)}, "no file has this name. Files are a, b"),
        ({"annotates": ("a",)}, "a does not say what a file annotates"),
        ({"labels": ("Species",)}, "Species: no file annotates it. Labels there are Disease, Gene"),
        ({"label_maps": ("SpecificDisease=", "GENE=")}, "file a has no mention of a label to"),
        ({"annotates": ("a=Species",)}, "no mention to learn from"),
        ({"label_maps": ("b:Disease=Cough",)}, "dev files hold mentions of Cough, the train files"),
        ({"labels": ("Gene",)}, "file b has no mention .* --annotates b=LABEL"),
        ({"annotates": ("b=Gene",)}, "the dev files hold no mention to judge by"),
    ],
)
def test_rules_that_cannot_be_meant(tmp_path: Path, more: dict[str, Any], problem: str) -> None:
    train = write_pubtator(tmp_path / "a.txt", [GOUT])
    dev = write_pubtator(tmp_path / "b.txt", [COUGH])
    with pytest.raises(CharthouseError, match=problem):
        read(train, dev, **more)


def test_files_given_twice_or_not_there(tmp_path: Path) -> None:
    path = write_pubtator(tmp_path / "a.txt", [GOUT])
    copy = write_pubtator(tmp_path / "b.txt", [GOUT])
    (tmp_path / "link.txt").symlink_to(path)
    with pytest.raises(CharthouseError, match=r"a\.txt is given twice"):
        read((path, path))
    with pytest.raises(CharthouseError, match=r"link\.txt is the same as .*a\.txt"):
        read(path, tmp_path / "link.txt")
    with pytest.raises(CharthouseError, match=r"b\.txt is the same as .*a\.txt"):
        read(path, copy)
    with pytest.raises(CharthouseError, match=r"c\.txt does not exist"):
        read(path, tmp_path / "c.txt")


def test_mentions_must_stand_where_they_say(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("4711|t|Zebrafinch gout.\n4711\t0\t4\tgout\tDisease\n")
    with pytest.raises(CharthouseError, match=r"a\.txt, document 1: .* offsets") as caught:
        read(path, dev_share=0.5)
    assert not any(word in str(caught.value) for word in ("4711", "Zebra", "gout"))


def test_real_corpora(data_dir: Path) -> None:
    corpora = data_dir / "corpora"
    data = read(
        (corpora / "bc5cdr_train.pubtator.gz", corpora / "ncbi_train.pubtator.gz"),
        corpora / "bc5cdr_dev.pubtator.gz",
    )
    assert data.labels == ("Chemical", "Disease")
    assert [corpus.mentions() for corpus in data.train] == [
        {"Chemical": 5203, "Disease": 4182},
        {"Disease": 5145},
    ]
    assert data.left_out == 0
