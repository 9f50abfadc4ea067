"""What ``benchmarks/scale.py`` is made of: a corpus, a stand-in for NER, a watch, a plan."""
