"""Training by parts: users in parts, a pass over each part a sweep, in one process or many, with one result."""
