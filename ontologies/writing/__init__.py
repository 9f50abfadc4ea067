"""Concepts by what a causal language model would write as a name's meaning.

A model completes ``NAME means`` with a name of the store: it writes one, held to the store's names
by a prefix trie (GENRE: De Cao et al. 2021; GenBioEL: Yuan et al. 2022), or it tells how likely it
would write each of the names that similarity has found.
"""
