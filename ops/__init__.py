"""Running it: start and stop the server, change its versions. Reaches TorchServe over HTTP only.

The rooms import one way: build -> process -> store, and canary -> versions -> process. The files beside them import
none of them.
"""
