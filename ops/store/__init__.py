"""What lies in the model store: archives with their digests, and the record of versions. Knows of no server.

Imports no other room of `ops`.
"""
