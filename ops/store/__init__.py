"""The model store: archives with their digests, and the record of versions. It does not depend on a server.

Imports no other room of `ops`.
"""
