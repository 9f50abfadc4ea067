"""The page: its sections put together into one HTML file that needs nothing else.

Its content security policy lets the browser run the page's own scripts, by their hashes, and load
nothing from anywhere: no name or text from the warehouse could become a script or a request, even
where escaping failed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files

from flows import __version__
from flows.reporting.charts import THEME
from flows.reporting.context import Context
from flows.reporting.markup import escaped, json_block, pill, shown, tiles
from flows.reporting.publish import MARK
from flows.reporting.section import Section
from flows.warehouse.derived.state import STALE
from flows.warehouse.views.concepts import FIRST

_TOTALS = f"""
SELECT coalesce(sum(documents), 0)::BIGINT AS documents,
  coalesce(sum(characters), 0)::BIGINT AS characters,
  coalesce(sum(mentions), 0)::BIGINT AS mentions,
  sum(linked) / nullif(sum(mentions), 0) AS linked,
  (SELECT count(DISTINCT concept_id) FROM concept_totals JOIN {FIRST} l USING (linkset_id))
    AS concepts,
  (SELECT count(DISTINCT person_id) FROM documents d SEMI JOIN
    (FROM document_annotations WHERE is_current) a USING (document_id)
    WHERE NOT d.is_deleted) AS persons
FROM document_totals
"""


def page_html(context: Context, sections: Sequence[Section], made_at: datetime) -> str:
    """The whole page.

    Args:
        context: what it is about.
        sections: in the order in which they are to stand.
        made_at: when it was made, UTC.
    """
    theme = _asset("theme.js")
    scripts = [_bundle(), _asset("page.js"), *(s.script for s in sections if s.script)]
    scripts = [script.replace("\r\n", "\n") for script in scripts]
    title = context.options.title or f"What is in {context.warehouse.name}"
    css = _asset("page.css") + "".join(section.css for section in sections)
    return "\n".join(
        [
            "<!doctype html>",
            MARK,
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy([theme, *scripts])}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="robots" content="noindex">',
            f'<meta name="generator" content="charthouse {escaped(__version__)}">',
            f"<title>{escaped(title)}</title>",
            f"<style>{css}</style>",
            f"<script>{theme}</script></head><body>",
            '<a class="skip" href="#main">Skip to the content</a>',
            _header(context, title, made_at),
            '<div class="layout wide">',
            _contents(sections),
            '<main id="main" tabindex="-1">',
            '<noscript><p class="notice">Charts are drawn by JavaScript, which is off here. Their '
            "numbers are in the tables below them.</p></noscript>",
            *_notices(context),
            *(_section(section) for section in sections),
            "</main></div>",
            _footer(context, made_at),
            json_block("chart-theme", THEME),
            *(f"<script>{script}</script>" for script in scripts),
            "</body></html>\n",
        ]
    )


def _policy(scripts: Sequence[str]) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return (files("flows.reporting") / "assets" / name).read_text("utf-8")


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and vega-embed as one script, of the version that Altair writes for."""
    import altair
    import vl_convert

    version = altair.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
    script = str(vl_convert.javascript_bundle(vl_version=version))  # type: ignore[call-arg]
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _header(context: Context, title: str, made_at: datetime) -> str:
    (totals,) = context.rows(_TOTALS)
    (run,) = context.rows(
        "SELECT run_id, status, coalesce(finished_at, started_at) AS at FROM runs WHERE run_id = ?",
        [context.run_id],
    )
    numbers = [
        ("documents", shown(totals["documents"])),
        ("characters", _rounded(totals["characters"])),
        ("mentions", shown(totals["mentions"])),
        ("linked to a concept", shown(totals["linked"], ".1%")),
        ("distinct concepts", shown(totals["concepts"])),
    ]
    if totals["persons"]:
        numbers.append(("persons", shown(totals["persons"])))
    about = (
        f"Warehouse {escaped(context.warehouse.name)}, run {escaped(run['run_id'])} "
        f"{pill(run['status'])} of {shown(run['at'])} UTC, page made {shown(made_at)} UTC"
        f"{escaped(_concepts(context))}"
    )
    private = (
        '<p class="private">This page holds text of documents. Keep it where they may be kept.</p>'
        if context.options.with_text
        else ""
    )
    return (
        '<header class="hero"><div class="wide"><div class="top">'
        '<span class="brand">charthouse report</span>'
        '<button class="theme" id="theme" type="button" hidden>Dark colours</button></div>'
        f"<h1>{escaped(title)}</h1>"
        f'<p class="lead">{about}</p>'
        f"{private}{tiles(numbers)}</div></header>"
    )


def _concepts(context: Context) -> str:
    """Which ontology concepts are of, where there is one: of several the page shows the first."""
    names = context.rows(
        "SELECT coalesce(r.name, l.release_id) AS name FROM linksets l "
        "LEFT JOIN ontology_releases r USING (release_id) WHERE l.is_current ORDER BY l.position"
    )
    if not names:
        return ""
    of = f", the first of {len(names)} ontologies" if len(names) > 1 else ""
    return f"; concepts of {names[0]['name']}{of}"


def _contents(sections: Sequence[Section]) -> str:
    items = "".join(
        f'<li><a href="#{escaped(section.id)}">{escaped(section.title)}</a></li>'
        for section in sections
    )
    return (
        '<nav class="contents" aria-label="Contents"><details open><summary>Contents</summary>'
        f"<ul>{items}</ul></details></nav>"
    )


def _notices(context: Context) -> list[str]:
    if not context.connection.execute(STALE).fetchall():
        return []
    return [
        '<p class="notice">The warehouse has changed since its derived tables were made: counts of '
        "concepts, names and documents here are those before. charthouse refresh makes them anew."
        "</p>"
    ]


def _section(section: Section) -> str:
    heading = f"{section.id}-title"
    return (
        f'<section id="{escaped(section.id)}" aria-labelledby="{escaped(heading)}">'
        f'<h2 id="{escaped(heading)}">{escaped(section.title)}</h2>{section.html}</section>'
    )


def _footer(context: Context, made_at: datetime) -> str:
    releases = context.rows(
        "SELECT DISTINCT r.name, r.attribution FROM ontology_releases r "
        "JOIN linksets l USING (release_id) WHERE l.is_current ORDER BY ALL"
    )
    sources = "".join(
        f"<p>Concepts: {escaped(row['name'])}. {escaped(row['attribution'])}.</p>"
        for row in releases
    )
    return (
        f'<footer><div class="wide">{sources}<p>Made by charthouse {escaped(__version__)} on '
        f"{shown(made_at)} UTC. Charts by Vega-Altair. The page needs no network and sends "
        "nothing.</p></div></footer>"
    )


def _rounded(number: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if number >= size:
            return f"{number / (size if letter != 'k' else 1000):,.1f} {letter}"
    return f"{number:,}"
