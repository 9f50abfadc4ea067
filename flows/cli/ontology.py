"""``charthouse ontology``: release files to concept stores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.errors import CharthouseError

app = typer.Typer(help="Compile ontology releases into concept stores.", no_args_is_help=True)


@app.callback()
def _options() -> None:
    pass


@app.command()
def build(
    mesh: Annotated[
        list[Path],
        typer.Option(
            help="MeSH descriptor or supplementary XML from NLM, plain or gzipped; repeat for "
            "both (desc2026.xml, supp2026.xml)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the store to make.")],
) -> None:
    """Compile MeSH files into a concept store that `charthouse run --ontology` takes.

    Example: charthouse ontology build --mesh desc2026.xml --mesh supp2026.xml --out mesh2026
    """
    from ontologies.build import build_store
    from ontologies.errors import OntologyError

    console = Console(stderr=True)
    with console.status("reading ...") as shown:
        try:
            release = build_store(
                [("mesh", path) for path in mesh], out, progress=lambda line: shown.update(line)
            )
        except OntologyError as error:
            raise CharthouseError(str(error)) from None
        except OSError as error:
            raise CharthouseError(
                f"store {out} cannot be written ({error.strerror})", "Check rights and free space"
            ) from None
    print(f"{release.concepts:,} concepts and {release.names:,} names in {out}")
    print(f"Release {release.release_id}. {release.attribution}")
    print(f"Use it: charthouse run SOURCE --warehouse W.duckdb --ontology {out}")
