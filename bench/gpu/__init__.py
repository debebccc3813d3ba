"""The check of the GPU path: one command on a machine with a GPU tests, trains, measures, and writes one file."""
