"""What benchmarks/sentences.py measures with: gold sentences, splitters, scores."""
