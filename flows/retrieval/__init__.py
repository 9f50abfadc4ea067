"""Passages of the warehouse's own text, found by words and by concepts."""
