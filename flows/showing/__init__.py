"""Showing one document as the warehouse has it: its text with mentions marked, and its links."""
