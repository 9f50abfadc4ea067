"""``charthouse ontology encode``: vectors of a store's names."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.exits import interruption_told
from flows.errors import CharthouseError
from flows.processes import STOP, stoppable

if TYPE_CHECKING:
    from ontologies.dense import DenseIndex
    from ontologies.encoder_source import EncoderSource
    from ontologies.store import ConceptStore


def encode(
    store: Annotated[str, typer.Argument(metavar="STORE", help="A store's folder, or `sample`.")],
    encoder: Annotated[
        str,
        typer.Option(
            metavar="ENCODER",
            help="`minilm`, the folder of a sentence encoder or of a model like SapBERT, or "
            "hub:owner/name@revision.",
        ),
    ] = "minilm",
    pooling: Annotated[
        str | None,
        typer.Option(help="mean or cls (SapBERT). (default: what the encoder says, else mean)"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Encode the names of a concept store, for linking by meaning.

    The vectors are kept in the store's folder, a set for each encoder. Interrupted, it goes on
    where it was; what is encoded already is left as it is. A store that is built again has to be
    encoded again.

    Example: charthouse ontology encode mesh2026 --encoder minilm
    """
    from flows.evaluating.links import open_named_store
    from ontologies.encoder_source import find_encoder
    from ontologies.errors import OntologyError

    if pooling not in (None, "mean", "cls"):
        raise typer.BadParameter("give mean or cls", param_hint="--pooling")
    opened = open_named_store(store)
    try:
        with interruption_told("What was encoded is kept; run the same command again to go on."):
            source = find_encoder(encoder, pooling)  # type: ignore[arg-type]
            index = _encode(opened, source, device, quiet=as_json)
    except OntologyError as error:
        raise CharthouseError(str(error)) from None
    except OSError as error:
        raise CharthouseError(
            f"store {opened.path} cannot be written ({error.strerror})",
            "Check rights and free space",
        ) from None
    if as_json:
        print(json.dumps(asdict(index.info)))
        return
    size = index.vectors.nbytes / 1e6
    print(
        f"{index.info.rows:,} names of release {index.info.release_id} in {index.info.dimension} "
        f"dimensions ({size:,.0f} MB), encoder {index.info.encoder} {index.info.fingerprint[:16]}"
    )


def _encode(store: ConceptStore, source: EncoderSource, device: str, *, quiet: bool) -> DenseIndex:
    from flows.progress import Reporter
    from ontologies.dense_build import encode_store  # takes seconds: torch
    from ontologies.encoder import NameEncoder

    loaded = NameEncoder(source, device)
    with stoppable(), Reporter("encode", None, quiet=quiet) as reporter:
        begun = False

        def report(done: int, total: int) -> None:
            nonlocal begun
            if not begun:
                reporter.stage("encoding", "names", total, already=done)
                begun = True
            reporter.done(done)
            if done == total:
                reporter.end(total)
            STOP.check()

        return encode_store(store, loaded, report=report)
