"""Release files in, a compiled concept store out; names in, ranked concepts out."""
