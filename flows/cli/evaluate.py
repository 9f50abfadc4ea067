"""``charthouse evaluate``: models, links and what else there is gold for, judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.exits import interruption_told
from flows.cli.finders import MODEL_HELP, Dictionary, chosen_models
from flows.cli.terminal import standard_output

if TYPE_CHECKING:
    from flows.evaluating.request import Request

app = typer.Typer(
    help="Judge models, links, abbreviations, assertion, relations and privacy against gold files.",
    no_args_is_help=True,
)

_STATISTICS = "Statistics"
_RESULTS = "Results"

Gold = Annotated[
    list[Path],
    typer.Argument(
        metavar="GOLD...",
        help="Gold files: PubTator, BioC (XML or JSON), Label Studio's JSON export or IOB, plain, "
        ".gz or .zst; told by their content. Each is judged by itself.",
    ),
]
Model = Annotated[
    list[str] | None,
    typer.Option(
        help=f"{MODEL_HELP} They are judged together, as a run would use them. (default: bundled)"
    ),
]
Ontology = Annotated[
    str | None,
    typer.Option(
        metavar="STORE",
        help="Concept store made by `charthouse ontology build`, or `sample`; needed without "
        "--from-warehouse.",
    ),
]
Config = Annotated[
    Path | None, typer.Option(help="TOML file of settings, as of a run; flags win over it.")
]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")]
LabelMap = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OLD=NEW",
        help="Rename a label of the gold files, as FILE_STEM:OLD=NEW of one file only; an empty "
        "NEW drops it. Labels of well-known corpora are renamed by themselves. Repeat for more.",
    ),
]
FoundMap = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FOUND=GOLD",
        help="Judge a label that is found as another one, for gold files that draw no "
        "distinction: Cell=Anatomy. Spans that then coincide count once. Repeat for more.",
    ),
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Judge by the first so many documents of each file.")
]
Resamples = Annotated[
    int,
    typer.Option(
        min=1,
        help="Draws of documents that the 95% intervals rest on.",
        rich_help_panel=_STATISTICS,
    ),
]
Seed = Annotated[
    int, typer.Option(min=0, help="Which documents are drawn.", rich_help_panel=_STATISTICS)
]
Predictions = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.tsv",
        help="Write what was found as tab-separated rows, for others to score.",
        rich_help_panel=_RESULTS,
    ),
]
Warehouse = Annotated[
    Path | None,
    typer.Option(
        "--warehouse",
        "-w",
        metavar="W.duckdb",
        help="Add the scores to the table `evaluations` of this warehouse; made where missing.",
        rich_help_panel=_RESULTS,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel=_RESULTS)
]
UsePrefect = Annotated[
    bool | None,
    typer.Option(
        "--prefect/--no-prefect",
        help="Run as a Prefect flow, on a temporary server if need be, or not. (default: where a "
        "Prefect API is configured)",
    ),
]
FromWarehouse = Annotated[
    Path | None,
    typer.Option(
        metavar="W.duckdb",
        help="Judge the current mentions of a warehouse instead of finding them now; it must hold "
        "all documents of the gold files. Of files that `charthouse sample` drew, documents that "
        "have gone or changed are left out.",
    ),
]


@app.callback()
def _options() -> None:
    pass


@app.command()
def ner(
    gold: Gold,
    model: Model = None,
    dictionary: Dictionary = None,
    from_warehouse: FromWarehouse = None,
    label_map: LabelMap = None,
    found_map: FoundMap = None,
    relaxed: Annotated[
        bool,
        typer.Option(
            "--relaxed",
            help="Show scores of overlapping spans too; JSON and warehouse always have them.",
        ),
    ] = False,
    limit: Limit = None,
    config: Config = None,
    device: Device = None,
    prefect: UsePrefect = None,
    resamples: Resamples = 1000,
    seed: Seed = 0,
    predictions: Predictions = None,
    warehouse: Warehouse = None,
    as_json: AsJson = False,
) -> None:
    """Judge found mentions: strict span precision, recall and F1, by type and in all.

    A mention is right when start, end and label are those of a gold mention. Types that a gold
    file never uses are left out of its scores. Mentions are found by the code that
    `charthouse run` uses.

    Example: charthouse evaluate ner bc5cdr_dev.pubtator.gz --model models/mine --predictions p.tsv
    """
    from flows.evaluating.ner import RELAXED

    if from_warehouse is not None and (model or dictionary):
        raise typer.BadParameter(
            "a warehouse has its own models and dictionaries: give one of the two",
            param_hint="--from-warehouse",
        )
    request = request_of(
        gold,
        config,
        model=model,
        dictionary=dictionary,
        device=device,
        label_map=tuple(label_map or ()),
        found_map=tuple(found_map or ()),
        limit=limit,
        resamples=resamples,
        seed=seed,
        from_warehouse=from_warehouse,
    )
    hidden = () if relaxed else (RELAXED,)
    carry_out("ner", request, prefect, predictions, warehouse, as_json=as_json, hidden=hidden)


@app.command()
def concepts(
    gold: Gold,
    ontology: Ontology = None,
    model: Model = None,
    dictionary: Dictionary = None,
    from_warehouse: FromWarehouse = None,
    label_map: LabelMap = None,
    found_map: FoundMap = None,
    limit: Limit = None,
    config: Config = None,
    device: Device = None,
    prefect: UsePrefect = None,
    resamples: Resamples = 1000,
    seed: Seed = 0,
    predictions: Predictions = None,
    warehouse: Warehouse = None,
    as_json: AsJson = False,
) -> None:
    """Judge concepts end to end: mentions are found and linked as in a run.

    By document, the set of its concepts counts, as in BioCreative V; by mention, start, end, label
    and concept. Coverage is the share of gold concepts that the store holds: no recall can be
    higher. With --from-warehouse the mentions of a warehouse are judged, with the concepts of its
    first ontology.

    Example: charthouse evaluate concepts bc5cdr_dev.pubtator.gz --ontology mesh2026
    """
    _one_of(from_warehouse, ontology, model, dictionary)
    request = request_of(
        gold,
        config,
        model=model,
        dictionary=dictionary,
        device=device,
        ontology=ontology,
        label_map=tuple(label_map or ()),
        found_map=tuple(found_map or ()),
        limit=limit,
        resamples=resamples,
        seed=seed,
        from_warehouse=from_warehouse,
    )
    carry_out("concepts", request, prefect, predictions, warehouse, as_json=as_json)


@app.command()
def linking(
    gold: Gold,
    ontology: Ontology = None,
    from_warehouse: FromWarehouse = None,
    label_map: LabelMap = None,
    limit: Limit = None,
    config: Config = None,
    prefect: UsePrefect = None,
    resamples: Resamples = 1000,
    seed: Seed = 0,
    predictions: Predictions = None,
    warehouse: Warehouse = None,
    as_json: AsJson = False,
) -> None:
    """Judge linking alone: gold mentions, their abbreviations expanded, against their concepts.

    Accuracy@1 asks whether the best candidate is right, recall@5 and @20 whether a right one is
    among so many, linked accuracy whether the linker decided for a right one. Mentions without a
    gold concept are counted, not judged. With --from-warehouse the links of a warehouse to its
    first ontology are judged, of those gold mentions that it has.

    Example: charthouse evaluate linking ncbi_dev.pubtator.gz --ontology mesh2026
    """
    _one_of(from_warehouse, ontology)
    request = request_of(
        gold,
        config,
        ontology=ontology,
        label_map=tuple(label_map or ()),
        limit=limit,
        resamples=resamples,
        seed=seed,
        from_warehouse=from_warehouse,
    )
    carry_out("linking", request, prefect, predictions, warehouse, as_json=as_json)


@app.command()
def abbreviations(
    gold: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Gold files in the form of MED1250, plain, .gz or .zst. Each is judged by itself.",
        ),
    ],
    limit: Limit = None,
    prefect: UsePrefect = None,
    resamples: Resamples = 1000,
    seed: Seed = 0,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.tsv",
            help="Write PMID, short form and long form of what was found, tab-separated, for "
            "others to score.",
            rich_help_panel=_RESULTS,
        ),
    ] = None,
    warehouse: Warehouse = None,
    as_json: AsJson = False,
) -> None:
    """Judge abbreviations: pairs of short form and long form, by document.

    A pair is right when both are those of a gold pair of the document, white space aside.

    Example: charthouse evaluate abbreviations med1250.txt --predictions found.tsv
    """
    request = request_of(gold, None, limit=limit, resamples=resamples, seed=seed)
    carry_out("abbreviations", request, prefect, predictions, warehouse, as_json=as_json)


def _one_of(from_warehouse: Path | None, ontology: str | None, *finders: list[str] | None) -> None:
    """See that either a warehouse or what finds and links is given."""
    if from_warehouse is not None and (ontology or any(finders)):
        raise typer.BadParameter(
            "a warehouse has its own models, dictionaries and ontology: give one of the two",
            param_hint="--from-warehouse",
        )
    if from_warehouse is None and ontology is None:
        raise typer.BadParameter("name a concept store", param_hint="--ontology")


def request_of(
    gold: list[Path],
    config: Path | None,
    *,
    model: list[str] | None = None,
    dictionary: list[str] | None = None,
    device: str | None = None,
    assertion: dict[str, Any] | None = None,
    relations: dict[str, Any] | None = None,
    generation: dict[str, Any] | None = None,
    **values: Any,
) -> Request:
    """What is asked for; flags win over the file of settings."""
    from flows.evaluating.request import Request
    from flows.settings import load_settings

    given = {"models": chosen_models(model), "device": device}
    flags: dict[str, Any] = {
        "ner": {name: value for name, value in given.items() if value is not None}
    }
    groups = {"assertion": assertion, "relations": relations, "generation": generation}
    flags |= {name: group for name, group in groups.items() if group}
    if dictionary:
        flags["dictionary"] = {"stores": tuple(dictionary)}
    return Request(gold=tuple(gold), settings=load_settings(config, flags), **values)


def carry_out(
    task: str,
    request: Request,
    prefect: bool | None,
    predictions: Path | None,
    warehouse: Path | None,
    *,
    as_json: bool,
    hidden: tuple[str, ...] = (),
) -> None:
    """Judge, and print and keep what came out."""
    from flows.evaluating.predictions import write_predictions
    from flows.evaluating.report import as_json as plain
    from flows.evaluating.report import print_report
    from flows.evaluating.run import check_outputs, evaluate
    from flows.evaluating.store import store_evaluation
    from flows.warehouse.access import access_of

    check_outputs(warehouse, predictions, access_of(request.settings.warehouse))
    with interruption_told("No scores were kept."):
        evaluation = evaluate(task, request, prefect=prefect, quiet=as_json)
    if as_json:
        print(json.dumps(plain(evaluation), ensure_ascii=False))
    else:
        print_report(standard_output(), evaluation, hidden=hidden)
    if predictions is not None:
        write_predictions(predictions, [its.predictions for its in evaluation.corpora])
    if warehouse is not None:
        store_evaluation(warehouse, evaluation)
