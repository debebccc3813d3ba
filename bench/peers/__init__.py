"""Other servers with the same TorchScript file, measured beside this project in one run."""
