"""Compares two versions on the same held-out ratings: errors, rankings, and how certain the difference is."""
