"""The report that a run or relink publishes at its end, where the settings name a path."""

from __future__ import annotations

from pathlib import Path

from flows.errors import CharthouseError
from flows.reporting.context import ReportOptions
from flows.reporting.publish import check_place, publish
from flows.reporting.settings import ReportSettings
from flows.warehouse.connection import Connection
from flows.warehouse.problems import WarehouseError


def check_report(warehouse: Path, settings: ReportSettings) -> None:
    """Check at the door that the report can be published.

    Raises:
        CharthouseError: its path cannot be used.
    """
    if settings.path is None:
        return
    if settings.path.resolve() == warehouse.resolve():
        raise CharthouseError(
            f"report {settings.path} is the warehouse itself", "Give report.path another path"
        )
    check_place(settings.path)


def publish_report(connection: Connection, warehouse: Path, settings: ReportSettings) -> None:
    """Publish the report of the open warehouse, without text of documents.

    Raises:
        CharthouseError: it could not be published; the warehouse has all of the work.
    """
    if settings.path is None:
        return
    from flows.reporting.report import make_report

    options = ReportOptions(title=settings.title, top=settings.top)
    try:
        path = check_place(settings.path)
        publish(path, make_report(connection, warehouse, options).page, private=False)
    except CharthouseError as error:
        raise WarehouseError(
            f"the warehouse is complete, but {error.problem}",
            f"{error.fix}. The next run publishes it, or charthouse report",
        ) from None
