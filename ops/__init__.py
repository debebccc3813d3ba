"""Running it: start and stop the server, change its versions. Reaches TorchServe over HTTP only.

The rooms import one way: trial -> versions -> process -> store. The files beside them are for all rooms, and import
none of them.
"""
