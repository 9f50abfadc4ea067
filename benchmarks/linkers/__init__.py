"""What ``benchmarks/linking.py`` is made of: stores, names, linkers, speed."""
