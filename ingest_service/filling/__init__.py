"""Vectors made anew beside the old ones: a new model, analyser or chunker fills a generation and swaps it in."""
