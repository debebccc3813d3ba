"""Changes the versions of a running server: register, promote, roll back, unregister. Each step is checked.

Of the other rooms of `ops`, it imports `ops.build`, `ops.process` and `ops.store`.
"""
