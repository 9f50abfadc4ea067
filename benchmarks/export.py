"""Exports: mentions a second and peak memory of each format, at two sizes.

python benchmarks/export.py [--mentions 10000000] [--formats omop parquet] [--folder FOLDER]

Makes a warehouse of so many made-up mentions, ten a document, and one of a tenth of them; exports
each in every format by the command itself, one process an export; prints mentions a second, the
peak of its resident memory, and how many times the memory the larger one took. DuckDB fills what it
may hold (512 MB, or 128 for each core) before it goes to disk: the ratio is 1 where both sizes are
beyond that, from about a million mentions on, and more where the smaller one is not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flows.warehouse.connection import open_warehouse

MENTIONS_A_DOCUMENT = 10
FORMATS = ("omop", "fhir", "pubtator", "bioc", "parquet")

NAMES = 50_000
TEXT = "patient 𝛼 reports "

ROWS = (
    # 64 characters a mention, so that a document's text is as long as its mentions need.
    "INSERT INTO documents BY NAME SELECT 'made:' || range AS document_id, 'made' AS corpus, "
    "range::VARCHAR AS native_id, 'note' AS kind, "
    f"repeat('{TEXT:<64}', {MENTIONS_A_DOCUMENT}) AS text, sha256(range::VARCHAR) AS source_hash, "
    "'m' AS metadata_hash, range AS source_order, DATE '2020-01-01' + (range % 2000)::INTEGER "
    "AS document_date, 'note' AS document_type, (range // 5)::VARCHAR AS person_id, "
    "'{{}}' AS metadata, false AS is_deleted FROM range({documents})",
    "INSERT INTO document_annotations SELECT document_id, 'set', source_hash, 'r', 's', 'done', "
    "true FROM documents",
    "INSERT INTO sections BY NAME SELECT document_id, 'set' AS annotation_id, 0 AS section_id, "
    "'history' AS name, 0 AS start_char, 64 AS end_char FROM documents",
    "INSERT INTO mentions BY NAME SELECT 'made:' || (range // 10) AS document_id, "
    "'set' AS annotation_id, (range % 10)::INTEGER AS mention_id, "
    "((range % 10) * 64 + 10)::INTEGER AS start_char, ((range % 10) * 64 + 17)::INTEGER "
    "AS end_char, 'reports' AS mention_text, CASE WHEN range % 3 = 0 THEN 'Chemical' "
    "ELSE 'Disease' END AS label, 0.9 AS score, 'made' AS model, "
    f"'name ' || (hash(range) % {NAMES}) AS lookup_text, 0 AS section_id, "
    "range % 7 = 0 AS negated, false AS uncertain, false AS historical, false AS hypothetical, "
    "'patient' AS experiencer FROM range({mentions})",
    "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, created_at) "
    "VALUES ('l', 'r', 1, true, '{{}}', now()::TIMESTAMP)",
    "INSERT INTO name_links BY NAME SELECT 'name ' || range AS lookup_text, label, "
    "'l' AS linkset_id, 1 AS rank, 'linked' AS status, 'MESH:D' || (range // 10) AS concept_id, "
    f"1.0 AS score FROM range({NAMES}), (SELECT unnest(['Disease', 'Chemical']) AS label)",
    "INSERT INTO concepts BY NAME SELECT 'r' AS release_id, 'MESH:D' || range AS concept_id, "
    "'Concept ' || range AS concept_name, []::VARCHAR[] AS semantic_types, "
    f"[]::VARCHAR[] AS tree_numbers FROM range({NAMES // 10})",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where to work; else a temporary one")
    parser.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        sizes = (arguments.mentions // 10, arguments.mentions)
        warehouses = {size: folder / f"{size}.duckdb" for size in sizes}
        for size, warehouse in warehouses.items():
            # Elsewhere: Linux counts what this process holds to the peaks of those it starts.
            making = multiprocessing.get_context("spawn").Process(
                target=make, args=(warehouse, size)
            )
            making.start()
            making.join()
        print(f"{'format':10} {'mentions':>12} {'seconds':>8} {'mentions/s':>11} {'peak MB':>8}")
        for form in arguments.formats:
            peaks = []
            for size, warehouse in warehouses.items():
                seconds, peak = measure(form, warehouse, folder / f"{form}-{size}")
                peaks.append(peak)
                rate = size / seconds
                print(f"{form:10} {size:12,} {seconds:8.1f} {rate:11,.0f} {peak:8,.0f}", flush=True)
            print(f"{form:10} ten times the mentions: {peaks[1] / peaks[0]:.2f} times the memory")


def make(path: Path, mentions: int) -> None:
    """A warehouse of so many mentions."""
    with open_warehouse(path) as connection:
        connection.execute("SET enable_progress_bar = false")
        for statement in ROWS:
            documents = mentions // MENTIONS_A_DOCUMENT
            connection.execute(statement.format(mentions=mentions, documents=documents))
    size = path.stat().st_size / 1e6
    print(f"made a warehouse of {mentions:,} mentions ({size:,.0f} MB)", flush=True)


def measure(form: str, warehouse: Path, out: Path) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one export, which is removed."""
    command = [sys.executable, "-m", "flows.cli", "export", form, "-w", str(warehouse)]
    began = time.perf_counter()
    process = subprocess.Popen([*command, "-o", str(out)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"the export to {form} failed")
    subprocess.run(["rm", "-r", str(out)], check=True)
    return seconds, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
