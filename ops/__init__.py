"""Running it: start and stop the server, change its versions. Reaches TorchServe over HTTP only.

The rooms import one way: refresh -> canary -> versions -> build -> process -> asgi -> store, and ray -> asgi. The files
beside them import none of them.
"""
