"""`python -m punktfunk.cli`."""

from punktfunk.cli import main

main(prog_name="punktfunk")
