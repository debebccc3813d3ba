"""Benchmarks: this project and its peers on one machine, in one run, with the same model and the same bytes."""
