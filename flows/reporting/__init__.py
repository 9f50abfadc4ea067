"""The report: one HTML file that shows what is in a warehouse."""
