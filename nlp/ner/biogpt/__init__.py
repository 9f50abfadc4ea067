"""BioGPT's tokenizer with character offsets (Luo et al. 2022; https://doi.org/10.1093/bib/bbac409).

``transformers`` has it without offsets only. Here Moses' rules are applied to the text while every
character keeps its place, and the byte-pair merges of the model's folder to the words they give.
"""
