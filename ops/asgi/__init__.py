"""A second server beside TorchServe: an ASGI application over the same service, in any number of processes.

`python -m ops.asgi` runs it; `make serve SERVER=asgi` does so in the background. `application.py` does not depend on a
particular server: uvicorn, Ray Serve and KServe's container all run it.
"""
