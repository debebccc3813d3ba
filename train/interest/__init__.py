"""The interest part of a model: what a user would take at all, fitted from which movies each user rated."""
