"""Starts, stops and watches one server, TorchServe or the ASGI server: its processes, workers, output, and locks.

It imports two other rooms of `ops`: `ops.store`, which knows the versions that a start serves, and `ops.asgi`, which
unpacks them for the processes of the ASGI server.
"""
