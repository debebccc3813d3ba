"""Architecture `factors`: two variational factor blocks and an ordinal network."""
