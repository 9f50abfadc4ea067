"""Judging models and links against gold files, by the code that a run uses."""
