"""Vocabulary and ports that all three services speak. Imports no service (tests/unit/test_architecture.py)."""
