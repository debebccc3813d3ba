"""Running it: start and stop the server, and its versions. Talks to TorchServe over HTTP only."""
