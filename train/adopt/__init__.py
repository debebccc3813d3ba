"""A network that was trained elsewhere becomes an artifact: `python -m train.adopt`."""
