"""The DuckDB warehouse: its file, tables, loads and views."""
