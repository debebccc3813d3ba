"""Running it: start and stop the server, change its versions. Reaches TorchServe over HTTP only."""
