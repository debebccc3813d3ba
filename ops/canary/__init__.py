"""A canary beside the default: requests to both, how far they agree, and what nginx logged of the two.

And the verdict on two versions. Imports no room above it in ops/README.md.
"""
