"""A plugin for TorchServe's front end, loaded by `plugins_path`: it forms batches without making requests wait."""
