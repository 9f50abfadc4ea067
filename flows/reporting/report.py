"""Making a report of a warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.reporting.context import Context, ReportOptions, context_of
from flows.reporting.publish import check_place, publish
from flows.reporting.section import Section
from flows.reporting.viewer import ViewerOptions, viewer_section
from flows.warehouse.access import Access
from flows.warehouse.connection import Connection, read_warehouse
from flows.warehouse.runs import now
from flows.warehouse.session import confine


@dataclass(frozen=True)
class Report:
    """A page that was made.

    Attributes:
        page: its HTML.
        run_id: the run that it is about.
        sections: what it shows, in order.
    """

    page: str
    run_id: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        path: the file.
        bytes: its size.
        run_id: the run that it is about.
        sections: ids of its sections.
        with_text: whether it holds text of documents; its owner alone can read it then.
    """

    path: str
    bytes: int
    run_id: str
    sections: tuple[str, ...]
    with_text: bool


def write_report(
    warehouse: Path, out: Path, options: ReportOptions, access: Access | None = None
) -> Written:
    """Make a report of a warehouse and put it in the place of a former one.

    Raises:
        CharthouseError: the warehouse has no run or no derived tables, or the report cannot be
            written.
    """
    path = check_place(out)
    with read_warehouse(warehouse, access or Access()) as connection:
        confine(connection)
        report = make_report(connection, warehouse, options)
    size = publish(path, report.page, private=options.with_text)
    shown = tuple(section.id for section in report.sections)
    return Written(str(path), size, report.run_id, shown, options.with_text)


def make_report(connection: Connection, warehouse: Path, options: ReportOptions) -> Report:
    """The page of an open warehouse.

    Raises:
        CharthouseError: the warehouse has no run or no derived tables.
    """
    context = context_of(connection, warehouse, options)
    # These load Altair, which takes a second: not before it is known that there is something.
    from flows.reporting.page import page_html
    from flows.reporting.sections import SECTIONS

    sections = (*(make(context) for make in SECTIONS), *_viewer(context))
    return Report(page_html(context, sections, now()), context.run_id, sections)


def _viewer(context: Context) -> tuple[Section, ...]:
    """Documents with their mentions, where text may be shown."""
    asked = context.options
    if asked.with_text and not asked.documents:
        return ()
    options = ViewerOptions(asked.documents, asked.seed, asked.with_text)
    return (viewer_section(context.connection, options),)
