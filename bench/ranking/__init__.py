"""Rankings against other libraries: `python -m bench.ranking`."""
