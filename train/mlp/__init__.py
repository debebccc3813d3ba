"""Architecture `mlp`: the reference's network over two embeddings."""
