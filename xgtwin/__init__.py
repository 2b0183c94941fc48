"""The front door: one command line over the three services. The only package that sees all of them."""
