"""Training by parts on a Ray cluster. This room alone imports ray, the group `cluster`."""
