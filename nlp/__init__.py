"""Documents in, annotation tables out. No Prefect, no DuckDB, no corpus paths."""
