"""Starting, stopping and watching one TorchServe: its processes, its workers, what it printed, who may touch it.

Imports `ops.store` of the rooms of `ops`, which says what a start serves.
"""
