"""From a frame of ratings to what is trained on: split, rows, tensors, features; the embedded data and KMRD."""
