"""From blocks to passages: cleaning, sentences, packing, language."""
