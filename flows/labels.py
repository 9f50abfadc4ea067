"""What the labels of gold files mean here, and which of them a file annotates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from flows.errors import CharthouseError

CORPUS_LABELS: dict[str, str] = {
    # NCBI Disease
    **dict.fromkeys(("SpecificDisease", "DiseaseClass", "Modifier", "CompositeMention"), "Disease"),
    # BC2GM, CRAFT, the BioNLP shared tasks
    **dict.fromkeys(("GENE", "GGP", "Gene_or_gene_product", "Protein"), "Gene"),
    # CRAFT, BioNLP, LINNAEUS
    **dict.fromkeys(("Taxon", "Organism", "Species"), "Species"),
    # CRAFT, BioNLP, CHEMDNER
    **dict.fromkeys(("CHEBI", "Simple_chemical", "CHEMICAL"), "Chemical"),
    # CRAFT
    "CL": "Cell",
}
"""A corpus's label to ours; labels that are not in it are kept as they are."""


def our_label(label: str) -> str:
    """What a gold file's label is called here, where the user says nothing else."""
    return CORPUS_LABELS.get(label, label)


@dataclass(frozen=True)
class LabelRules:
    """The user's rules over those of well-known corpora (:func:`our_label`).

    Attributes:
        renamed: (file stem or ``""`` for all files, label in the file) to our label; ``""`` drops.
        annotates: file stem to all our labels that its annotators marked.
        chosen: our labels to learn, in the model's order; empty takes all.
    """

    renamed: Mapping[tuple[str, str], str]
    annotates: Mapping[str, tuple[str, ...]]
    chosen: tuple[str, ...] = ()

    def ours(self, stem: str, label: str) -> str:
        """What a file's label is called here; empty where it is dropped."""
        of_all = self.renamed.get(("", label), our_label(label))
        return self.renamed.get((stem, label), of_all)

    def label(self, stem: str, label: str) -> str:
        """The same, empty too where it is not chosen."""
        ours = self.ours(stem, label)
        return ours if not self.chosen or ours in self.chosen else ""

    def annotated(self, stem: str, labels: Iterable[str]) -> frozenset[str]:
        """Labels that a file annotates: as the user says, else those its own ``labels`` become."""
        ours = self.annotates.get(stem) or (self.label(stem, label) for label in labels)
        return frozenset(x for x in ours if x and (not self.chosen or x in self.chosen))


def parse_rules(
    label_maps: Sequence[str],
    annotates: Sequence[str],
    chosen: Sequence[str],
    stems: Collection[str],
) -> LabelRules:
    """Read rules as the command line writes them.

    Args:
        label_maps: ``OLD=NEW`` for all files or ``STEM:OLD=NEW`` for one; empty NEW drops.
        annotates: ``STEM=Label,Label``.
        chosen: labels to learn.
        stems: names of the files without folder and suffixes.

    Raises:
        CharthouseError: a rule is not written so, stands twice, or names no file.
    """
    known = f"Files are {', '.join(sorted(set(stems)))}"
    renamed: dict[tuple[str, str], str] = {}
    for rule in label_maps:
        old, equals, new = rule.rpartition("=")
        stem, colon, label = old.partition(":")
        # Labels may hold a colon themselves: only the name of a file before it is one.
        key = (stem, label) if colon and stem in stems else ("", old)
        if not equals or not key[1]:
            raise CharthouseError(
                f"label map {rule} is not understood", "Write OLD=NEW or FILE_STEM:OLD=NEW"
            )
        if renamed.setdefault(key, new.strip()) != new.strip():
            raise CharthouseError(f"label map {rule} contradicts another one", "Leave one out")
    covers: dict[str, tuple[str, ...]] = {}
    for rule in annotates:
        stem, equals, names = rule.partition("=")
        labels = tuple(name.strip() for name in names.split(",") if name.strip())
        if not equals or not labels:
            raise CharthouseError(
                f"{rule} does not say what a file annotates", "Write FILE_STEM=Label,Label"
            )
        if stem not in stems:
            raise CharthouseError(f"--annotates {rule}: no file has this name", known)
        covers[stem] = labels
    return LabelRules(renamed, covers, tuple(dict.fromkeys(chosen)))


def check_rules_are_used(rules: LabelRules, labels: Mapping[str, Collection[str]]) -> None:
    """Refuse a rule about a label that no file has: it is mistyped.

    Args:
        rules: the rules.
        labels: file stem to the labels in the file.

    Raises:
        CharthouseError: naming the rule and the labels there are.
    """
    for stem, label in rules.renamed:
        there = labels.get(stem, ()) if stem else {x for known in labels.values() for x in known}
        if label not in there:
            where = f"file {stem} does not have" if stem else "no file has"
            raise CharthouseError(
                f"--label-map: {where} the label {label}",
                f"Labels there are {', '.join(sorted(there)) or 'none'}",
            )
