"""Exports: what a warehouse holds, in forms that other systems read."""
