"""Changing the versions of a running server, each step checked: register, promote, roll back, unregister.

Imports `ops.process` and `ops.store` of the rooms of `ops`.
"""
