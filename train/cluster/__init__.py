"""Training by parts on a Ray cluster. Of this package, this room alone imports ray, the group `cluster`."""
