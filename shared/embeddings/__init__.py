"""From text to vectors: the lexical encoder (always) and the `Embedder` port with its adapters (optional)."""
