"""From a ratings file to a model archive: reading, splitting, training, packing."""
