"""From a frame of ratings to training data: splits, rows, tensors, features. Also the embedded data and KMRD."""
