"""docs/configuration.md: every setting, from the pydantic models."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MinLen
from page_parts import GENERATED, rows_of
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.settings import Settings
from ontologies.labels import LABEL_TYPES

EXAMPLE_TOML = """\
# charthouse.toml
# Keys without a group stand first, as TOML wants it.
sources = ["notes", "archive/*.csv.gz"]
ontologies = ["stores/mesh2026", "sample"]

[warehouse]
path = "discharge.duckdb"

[source]
corpus = "discharge"
columns = { id = "note_key", text = "note_body", date = "written_on" }

[preprocess]
pipeline = "rules"

[ner]
models = ["bundled", "models/clinical"]
device = "cpu"

[link]
threshold = 0.75

[execution]
workers = 4
shard_characters = 500000
"""

LABEL_MAP_TOML = """\
[ner.label_map]
CHEM = "Chemical"    # rename
DISO = "Disease"     # rename
ACTIVITY = ""        # drop: these mentions are not written
"""

LINK_LABELS_TOML = """\
[link.labels]
Disease = ["C", "F03"]                  # MeSH tree branches
Chemical = ["D", "SCR1"]                # SCR1: MeSH supplementary chemicals
Device = ["E07", "T074"]                # a label of your own
"""

CONFIGURATION_INTRODUCTION = f"""\
# Configuration

For whoever sets charthouse up: every setting, where it may stand, and its default.

Settings come from three places. A later one wins over an earlier one:

1. a TOML file, given with `--config charthouse.toml`;
2. environment variables;
3. command line flags.

What is set nowhere has its default. A file that names `sources` and `warehouse.path` too is a [job
file](scheduling.md#job-files): `charthouse run --config FILE` needs nothing else then. There are no
secrets among the settings.

`charthouse run ... --dry-run` checks the settings, reads the sources and says what a run would do.
A setting that does not exist, or has a bad value, is an error before anything is read. One
exception: an environment variable that names no group (`CHARTHOUSE_WORKRES`) is passed over.
`charthouse demo` takes no file; environment variables hold for it too.

## An example

```toml
{EXAMPLE_TOML}```

Relative paths in the file start at the file's folder. What may be a name as well (`ner.models`,
`assertion.method`, `privacy.models`, `ontologies`, `dictionary.stores`, `link.encoder`,
`link.writer`, `preprocess.pipeline`, `generation.model`, `generation.prompt`, `relations.model`,
`relations.statements`, `evaluate.ontology`) is a path where the file's folder has such a file or
folder; `bundled`, `sample`, `rules`, `blank`, `pysbd`, `minilm` and `off` are always names.
Relative paths in environment variables and flags start at the folder the command is run in.

Put `ontologies` and `ner.models` into the file once a warehouse is in use. A run without them
takes the defaults: with another model every document is annotated again, and with another ontology
`entities` shows that ontology.

## Environment variables

The name is `CHARTHOUSE_`, the group, two underscores, the field; `sources` and `ontologies` have no
group. Lists
and tables are written as JSON:

```sh
export CHARTHOUSE_EXECUTION__WORKERS=8
export CHARTHOUSE_ONTOLOGIES='["stores/mesh2026"]'
export CHARTHOUSE_NER__LABEL_MAP='{{"CHEM": "Chemical"}}'
```

A list is taken whole from the place that wins. Tables (`source.columns`, `ner.label_map`,
`link.labels`) are joined key by key, and the place that wins decides for keys given twice.

These variables are read too, and are no settings:

| variable | meaning |
| --- | --- |
| `CHARTHOUSE_PRIVACY_KEY` | secret of [de-identification](privacy.md#the-secret) |
| `CHARTHOUSE_DEBUG` | show all of an unexpected error, and with it perhaps text of documents |
| `CHARTHOUSE_CACHE` | folder for the compiled sample ontology; else in the user's cache folder |
| `PREFECT_API_URL` | a Prefect server to report to; see [Operations](operations.md#prefect) |
| `UMLS_API_KEY` | key of a UTS profile, for `charthouse ontology fetch umls` |
| `CHARTHOUSE_MESH_URL`, `CHARTHOUSE_UTS_URL` | [mirrors](ontologies.md#downloading) of NLM |
| `HF_HUB_OFFLINE` | `1` keeps `hub:` models to what is in the local Hugging Face cache |

## Labels of models: `ner.label_map`

Models name their labels differently. The map renames them, for all models of the run. A label that
is not in the map is kept. An empty value drops the label.

```toml
{LABEL_MAP_TOML}```

The map is part of the annotation_id: changing it annotates every document again.

## Names as mentions: `[dictionary]`

[The dictionary](dictionary.md) says what its settings do. All but the order of `labels` and `types`
is part of the annotation_id; without `dictionary.stores` none of it is.

## Which concepts a label allows: `link.labels`

Each label has prefixes of semantic type codes: MeSH tree branches (`C`, `F03`), classes of MeSH
supplementary records (`SCR3`), UMLS types (`T047`). Labels are compared without case. A label that
is missing, or has no prefixes, allows every concept. Concepts whose types do not tell are never
ruled out, but count for less.

```toml
{LINK_LABELS_TOML}```

This table replaces the built-in one in `ontologies/labels.py`: repeat the labels you want to keep.
The built-in one has {", ".join(f"`{name}`" for name in LABEL_TYPES)}.
The table is part of the linkset_id: changing it links the names again and leaves annotations alone.

## All settings
"""

FLAGS = {
    "warehouse.path": "--warehouse",
    "source.format": "--format",
    "source.corpus": "--corpus",
    "source.columns": "--column",
    "source.limit": "--limit",
    "source.retry_rejects": "--retry-rejects",
    "source.prune": "--prune",
    "source.prune_limit": "--prune-limit",
    "keep_previous": "--keep-previous",
    "privacy.mode": "--privacy",
    "ner.models": "--model",
    "ner.device": "--device",
    "dictionary.stores": "--dictionary",
    "ontologies": "--ontology",
    "execution.workers": "--workers",
    "execution.runner": "--runner",
    "execution.address": "--address",
    "execution.staging": "--staging",
    "warehouse.wait_seconds": "--wait",
}
"""TOML key to the flag of ``charthouse run`` that sets it."""

LONG_DEFAULTS = {"link.labels": "the built-in table"}


@dataclass(frozen=True)
class Setting:
    """One field of the settings as a reader of the docs wants to see it."""

    key: str
    kind: str
    default: str
    description: str

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return "CHARTHOUSE_" + self.key.upper().replace(".", "__")


def groups() -> Iterator[tuple[str, str, list[Setting]]]:
    """Group name ("" = none), the group's meaning, and its settings."""
    loose = []
    for name, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            settings = [_setting(f"{name}.{n}", f) for n, f in model.model_fields.items()]
            yield name, model.__doc__ or "", settings
        else:
            loose.append(_setting(name, field))
    yield "", "Written above the first group.", loose


def _setting(key: str, field: FieldInfo) -> Setting:
    if not field.description:
        raise ValueError(f"setting {key} has no description")
    default = LONG_DEFAULTS.get(key) or _value(field.get_default(call_default_factory=True))
    kind = type_name(field.annotation) + _bounds(field.metadata)
    return Setting(key, kind, default, field.description)


def type_name(annotation: Any) -> str:
    """A type in words.

    Raises:
        TypeError: the type has no words yet.
    """
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    if annotation in plain:
        return plain[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is Annotated:
        return type_name(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    if origin is tuple:
        return f"list of {type_name(arguments[0])}"
    if origin is dict:
        return f"table of {type_name(arguments[1])}"
    if origin in (Union, types.UnionType):
        (kind,) = (argument for argument in arguments if argument is not type(None))
        return type_name(kind)
    raise TypeError(f"no words for {annotation}")


def _bounds(metadata: Sequence[Any]) -> str:
    words = []
    for bound in metadata:
        if isinstance(bound, Ge):
            words.append(f"at least {bound.ge}")
        elif isinstance(bound, Le):
            words.append(f"at most {bound.le}")
        elif isinstance(bound, MinLen):
            words.append("not empty")
    return f", {', '.join(words)}" if words else ""


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in value) + "]`"
    if isinstance(value, dict):
        return "empty" if not value else f"`{value}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def configuration_page() -> str:
    """The introduction and the list of settings."""
    lines = [GENERATED, "", CONFIGURATION_INTRODUCTION]
    for name, meaning, settings in groups():
        lines += [f"### [{name}]" if name else "### No group", "", meaning, ""]
        lines += rows_of(
            ("TOML key", "environment variable", "flag", "type", "default", "meaning"),
            [
                (
                    f"`{s.key}`",
                    f"`{s.variable}`",
                    f"`{FLAGS[s.key]}`" if s.key in FLAGS else "",
                    s.kind,
                    s.default,
                    s.description,
                )
                for s in settings
            ],
        )
    return "\n".join(lines).rstrip() + "\n"
