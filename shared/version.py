"""The version of the product, in one place (pyproject.toml reads it from here)."""

VERSION = "0.1.0"
