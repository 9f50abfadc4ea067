"""What the commands that train a model share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flows.cli.terminal import standard_output

if TYPE_CHECKING:
    from flows.training.order import TrainingOrder

CHECKPOINTS_KEPT = "Checkpoints are kept; run the same command again to go on."
"""What an interrupted training says."""


def carry_out(order: TrainingOrder, *, overwrite: bool, as_json: bool) -> None:
    """Train, and print the scores."""
    from flows.training.run import execute
    from flows.training.summary import print_summary

    summary = execute(order, overwrite=overwrite, quiet=as_json)
    if as_json:
        print(json.dumps(summary.as_dict(), ensure_ascii=False))
    else:
        print_summary(standard_output(), summary)


def print_state(state: str) -> None:
    """End the preview of a training: whether it would begin, go on, or do nothing.

    Args:
        state: as :func:`flows.training.output.check_state` returns it.
    """
    if state == "goes on":
        print("A checkpoint waits: the training would go on from it.")
    elif state == "done":
        print("The model is there already: nothing would be left to do.")
    print("Nothing was written: this was a dry run.")
