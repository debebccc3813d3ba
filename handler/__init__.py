"""How TorchServe reaches the model: decode a request, ask the predictor, encode its answer."""
