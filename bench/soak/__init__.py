"""A long stress test of a supervised server: overload, millions of requests, and faults under load."""
