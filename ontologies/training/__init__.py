"""Training a name encoder on a store's synonyms.

SapBERT's recipe: Liu et al. 2021, https://aclanthology.org/2021.naacl-main.334/.
"""
