"""`python -m train.adopt`: makes an artifact from a network that was trained elsewhere."""
