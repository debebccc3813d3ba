"""Starts, stops and watches one server, TorchServe or the ASGI server: its processes, workers, output, and locks.

Of the other rooms of `ops` it imports `ops.store`, which knows the versions that a start serves, and `ops.asgi`, which
lays them for its processes.
"""
