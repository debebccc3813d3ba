"""The ASGI server on a Ray cluster: many replicas on many hosts. No other part of `ops` imports ray."""
