"""Starts, stops and watches one TorchServe: its processes, its workers, its output, and the locks on it.

Of the other rooms of `ops` it imports `ops.store`, which knows the versions that a start serves.
"""
