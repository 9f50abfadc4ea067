"""Which document, annotation set and linkset a person means by what they typed."""

from __future__ import annotations

from flows.comparing.sides import find_side
from flows.errors import CharthouseError, UsageError
from flows.showing.document import Linkset
from flows.warehouse.connection import Connection

_LINKSETS = """
SELECT l.linkset_id, l.release_id, coalesce(r.name, l.release_id), l.is_current, l.position
FROM linksets l LEFT JOIN ontology_releases r ON r.release_id = l.release_id
ORDER BY l.is_current DESC, l.position, l.created_at DESC, l.linkset_id
"""


def find_document(connection: Connection, asked: str) -> str:
    """The document_id meant: itself, or a native id that one corpus alone has.

    Raises:
        CharthouseError: no document is meant, or more than one. Ids may identify people: none is
            named that was not typed, and not that one either, since errors end up in logs.
    """
    if connection.execute("SELECT 1 FROM documents WHERE document_id = ?", [asked]).fetchall():
        return asked
    found = connection.execute(
        "SELECT document_id, corpus FROM documents WHERE native_id = ? ORDER BY corpus", [asked]
    ).fetchall()
    if len(found) == 1:
        return str(found[0][0])
    if found:
        corpora = ", ".join(corpus for _, corpus in found)
        raise CharthouseError(
            f"{len(found)} documents have this native id, in the corpora {corpora}",
            "Write CORPUS:NATIVE_ID",
        )
    raise CharthouseError(f"no document has this id{_alike(connection, asked)}", _known(connection))


def _alike(connection: Connection, asked: str) -> str:
    """How many ids look like the one asked for: told as counts, never as ids."""
    ((case, begin, near),) = connection.execute(
        """
        SELECT count(*) FILTER (lower(typed) = lower($asked)),
          count(*) FILTER (starts_with(typed, $asked)),
          count(*) FILTER (abs(length(typed) - length($asked)) <= 1
            AND levenshtein(lower(typed), lower($asked)) = 1)
        FROM (SELECT if(contains($asked, ':'), document_id, native_id) AS typed FROM documents)
        """,
        {"asked": asked},
    ).fetchall()
    counts = (
        (case, "differs in case only", "differ in case only"),
        (begin, "begins with it", "begin with it"),
        (near, "differs in one character", "differ in one character"),
    )
    told = [f"{count:,} {one if count == 1 else more}" for count, one, more in counts if count]
    return f"; {', '.join(told)}" if told else ""


def _known(connection: Connection) -> str:
    corpora = [
        corpus
        for (corpus,) in connection.execute(
            "SELECT DISTINCT corpus FROM documents ORDER BY 1 LIMIT 10"
        ).fetchall()
    ]
    if not corpora:
        return "The warehouse has no documents: charthouse run adds some"
    return f"Ids are CORPUS:NATIVE_ID; corpora are {', '.join(corpora)}"


def find_annotation(connection: Connection, document_id: str, asked: str | None) -> str:
    """The annotation set to show of a document.

    Args:
        connection: the open warehouse.
        document_id: the document.
        asked: as :func:`flows.comparing.sides.find_side` takes it; None for the current one.

    Raises:
        CharthouseError: nothing fits, or the document has no annotations of it.
    """
    sets = connection.execute(
        "SELECT annotation_id, status, is_current FROM document_annotations WHERE document_id = ? "
        "ORDER BY is_current DESC, annotation_id",
        [document_id],
    ).fetchall()
    wanted = find_side(connection, asked).annotation_id if asked is not None else None
    for annotation_id, status, is_current in sets:
        if is_current if wanted is None else annotation_id == wanted:
            if status == "rejected":
                raise CharthouseError(
                    "the document was rejected: it could not be annotated",
                    "charthouse rejects says why",
                )
            return str(annotation_id)
    if wanted is not None and sets:
        raise CharthouseError(
            f"annotation set {wanted} has nothing of this document",
            f"Of this document there are {', '.join(row[0] for row in sets)}",
        )
    raise CharthouseError(
        "the document has no annotations", "Its source withdrew it, or a run was interrupted"
    )


def find_linkset(
    connection: Connection, linkset: str | None = None, ontology: str | None = None
) -> Linkset | None:
    """The linkset to show: that of the first ontology unless another is asked for.

    Args:
        connection: the open warehouse.
        linkset: the start of a linkset_id, of whatever time.
        ontology: the start of a current ontology's name or release_id, or its position (1, 2 ...).

    Raises:
        UsageError: both are given.
        CharthouseError: nothing or more than one fits.
    """
    if linkset is not None and ontology is not None:
        raise UsageError("--linkset and --ontology name the same thing", "Give one of them")
    rows = connection.execute(_LINKSETS).fetchall()
    known = [(Linkset(*row[:4]), int(row[4])) for row in rows]
    if linkset is not None:
        fitting = [one for one, _ in known if one.linkset_id.startswith(linkset)]
        option, names = f"--linkset {linkset}", [one.linkset_id for one, _ in known]
    elif ontology is not None:
        current = [(one, position) for one, position in known if one.is_current]
        start = ontology.lower()
        fitting = [
            one
            for one, position in current
            if ontology == str(position)
            or one.release_id.lower().startswith(start)
            or one.ontology.lower().startswith(start)
        ]
        option = f"--ontology {ontology}"
        names = [f"{position} {one.ontology} ({one.release_id})" for one, position in current]
    else:
        return known[0][0] if known and known[0][0].is_current else None
    if len(fitting) != 1:
        problem = "fits several" if fitting else "is not in the warehouse"
        raise CharthouseError(f"{option} {problem}", f"There are {', '.join(names) or 'none'}")
    return fitting[0]
