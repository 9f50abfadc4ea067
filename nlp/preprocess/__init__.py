"""scispaCy preprocessing: tokens, sentences, sections, abbreviations. Text is never altered."""
