"""Training by parts on a Ray cluster. No other module of `train` imports ray (dependency group `cluster`)."""
