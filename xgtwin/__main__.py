"""`python -m xgtwin` is the `xgtwin` command."""

from xgtwin.cli import main

main()
