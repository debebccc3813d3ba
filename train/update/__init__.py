"""New ratings become a new version, without training."""
