"""A canary beside the default: requests to both, how far they agree, and what nginx logged of the two.

The last of the rooms of `ops`: it may import all others, and none imports it.
"""
