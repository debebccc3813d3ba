"""What is served: networks, id maps, scale, artifact and predictor. Needs only numpy and torch."""
