"""The ASGI server on a Ray cluster: many replicas on many hosts. Nothing else of `ops` imports ray."""
