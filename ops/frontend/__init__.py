"""TorchServe's front end, with batches that nobody waits for: a plugin by its SDK, as `plugins_path` names it."""
