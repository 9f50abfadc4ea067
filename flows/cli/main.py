"""The command line: commands, their help, and exit codes.

Exit codes: 0 all done, 1 failed, 2 wrong usage, 3 done with new rejects, 4 done, but a quality
threshold was crossed, 130 interrupted.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn

import typer

from flows import __version__
from flows.cli import (
    check,
    custody,
    diff,
    doctor,
    evaluate,
    evaluate_assertion,
    evaluate_privacy,
    evaluate_questions,
    evaluate_relations,
    export,
    generate,
    inspect,
    link,
    ontology,
    prompts,
    quality,
    refresh,
    relink,
    report,
    run,
    sample,
    serve,
    show,
    train,
)
from flows.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from flows.errors import CharthouseError, UsageError, kind_and_place
from flows.processes import Interrupted

_EXIT_SECONDS = 30.0

app = typer.Typer(
    name="charthouse",
    help="Clinical notes and biomedical abstracts in, SQL tables out.",
    epilog="Start with: charthouse demo --warehouse sample.duckdb",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"charthouse {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    pass


app.command("run")(run.run)
app.command("demo")(run.demo)
app.command("relink")(relink.relink)
app.command("refresh")(refresh.refresh)
app.command("link")(link.link)
app.command("serve")(serve.serve)
app.command("show")(show.show)
app.command("diff")(diff.diff)
app.command("sample")(sample.sample)
app.command("status")(inspect.status)
app.command("rejects")(inspect.rejects)
app.command("tables")(inspect.tables)
app.command("sql")(inspect.sql)
app.command("check")(check.check)
app.command("report")(report.report)
app.command("snapshot")(custody.snapshot)
app.command("forget")(custody.forget)
app.command("remember")(custody.remember)
app.command("quality")(quality.quality)
app.command("compact")(custody.compact)
app.command("prompts")(prompts.prompts)
app.command("doctor")(doctor.doctor)
app.add_typer(export.app, name="export")
app.add_typer(generate.app, name="generate")
app.add_typer(ontology.app, name="ontology")
app.add_typer(train.app, name="train")
evaluate.app.command("assertion")(evaluate_assertion.assertion)
evaluate.app.command("privacy")(evaluate_privacy.privacy)
evaluate.app.command("relations")(evaluate_relations.relations)
evaluate.app.command("qa")(evaluate_questions.qa)
app.add_typer(evaluate.app, name="evaluate")


def main() -> None:
    """Run the command line; errors the user can mend are one line on standard error."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    code = _run()
    sys.stdout.flush()
    sys.stderr.flush()
    if "prefect" in sys.modules:
        end_at_once(code)
    sys.exit(code)


def end_at_once(code: int, seconds: float = _EXIT_SECONDS) -> NoReturn:
    """End the process without taking down the interpreter. All work is done and synced.

    Prefect's threads still hold the run then, and DuckDB's binding would print pages about objects
    not freed. What is registered for the exit is done, but not waited for without end: it may wait
    for a queue whose lock a killed worker held, or for a worker that not even a kill ends.
    """
    last = threading.Thread(target=atexit._run_exitfuncs, daemon=True)
    last.start()
    last.join(seconds)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run() -> int:
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except CharthouseError as error:
        print(f"charthouse: {error}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    except (Interrupted, KeyboardInterrupt):
        print(
            "charthouse: interrupted. What was finished is in the warehouse; run the same command "
            "again to go on.",
            file=sys.stderr,
        )
        return EXIT_INTERRUPTED
    except Exception as error:
        if os.environ.get("CHARTHOUSE_DEBUG"):
            raise
        # The message may quote what was being read.
        print(
            f"charthouse: unexpected error: {kind_and_place(error)}. CHARTHOUSE_DEBUG=1 shows all "
            "of it, and with it perhaps text of documents.",
            file=sys.stderr,
        )
        return EXIT_FAILED
    return 0
