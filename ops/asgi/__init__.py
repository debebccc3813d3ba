"""A second server beside TorchServe: an ASGI application over the same service, in any number of processes.

`python -m ops.asgi` runs it, and `make serve SERVER=asgi` does so for a folder. `application.py` knows no server of its
own: uvicorn, Ray Serve and KServe's container all run it.
"""
