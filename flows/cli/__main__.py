"""``python -m flows.cli``: the command without its script."""

from flows.cli.main import main

main()
