"""Training of NER models from gold files: read, check, train, resume, publish."""
