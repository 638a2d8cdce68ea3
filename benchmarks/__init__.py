"""Figures of the server and of the terminal, measured from outside. `benchmarks/README.md` says how to read them."""
