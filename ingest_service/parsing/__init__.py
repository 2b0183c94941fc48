"""Bytes to blocks: one small parser for each kind of document, chosen by what the bytes are."""
