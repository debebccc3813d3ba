"""Makes a new version from new ratings, without training."""
