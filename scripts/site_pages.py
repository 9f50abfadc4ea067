"""What the site shows from outside docs/: README and its kin as pages, files as they are.

A hook of MkDocs (``mkdocs.yml``). Pages are written for GitHub: links between them are relative to
the file. Here a link that leaves docs/ leads to the page that the site makes of its target, or to a
copy of the file, and a ``mermaid`` block becomes its picture (``scripts/draw_diagrams.py``), so
that no script is loaded for it.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changes.md",
    "benchmarks/README.md": "benchmarks.md",
    "nlp/ner/bundled/README.md": "bundled-model.md",
    "nlp/relations/bundled/README.md": "bundled-relations.md",
}
"""Pages outside docs/ in the repository, and their place in the site."""

FILES = "files"
"""Folder of the site for linked files outside docs/, under their path in the repository."""

_LINK = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?(\))")
_DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SITE_PAGES = {page: source for source, page in PAGES.items()}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages and the linked files from outside docs/."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text("utf-8")
        files.append(File.generated(config, page, content=text))
    for source in sorted(_linked(files)):
        place = _place("", source)
        files.append(File.generated(config, place, content=(ROOT / source).read_bytes()))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Set links and diagrams of a page as the site has them."""
    source = _source_of(page.file.src_uri)
    at = posixpath.dirname(page.file.src_uri)

    def link(found: re.Match[str]) -> str:
        before, target, anchor, after = found.groups()
        return f"{before}{posixpath.relpath(_place(source, target), at)}{anchor or ''}{after}"

    def picture(found: re.Match[str]) -> str:
        name = hashlib.sha256(found[1].encode()).hexdigest()[:16] + ".svg"
        if not (ROOT / "docs" / "diagrams" / name).is_file():
            raise PluginError(f"{source}: a diagram has no picture: run scripts/draw_diagrams.py")
        heading = re.findall(r"^#+ (.*)$", found.string[: found.start()], re.MULTILINE)[-1]
        return f"![Diagram: {heading}]({posixpath.relpath(f'diagrams/{name}', at)})"

    return _DIAGRAM.sub(picture, _LINK.sub(link, markdown))


def _source_of(page: str) -> str:
    """Path in the repository of a page of the site."""
    return _SITE_PAGES.get(page, f"docs/{page}")


def _place(source: str, target: str) -> str:
    """Where in the site a link leads that a file of the repository has."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"{FILES}/{path}" + (".txt" if path.endswith(".md") else "")


def _linked(files: Files) -> set[str]:
    """Files outside docs/ that pages lead to, as paths in the repository."""
    found = set()
    for file in files.documentation_pages():
        folder = posixpath.dirname(_source_of(file.src_uri))
        for _, target, _, _ in _LINK.findall(file.content_string):
            found.add(posixpath.normpath(posixpath.join(folder, target)))
    return {
        path
        for path in found
        if path not in PAGES and not path.startswith(("docs/", "../")) and (ROOT / path).is_file()
    }
