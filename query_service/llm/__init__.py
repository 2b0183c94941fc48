"""Talking to a language model server."""
