"""Two versions on the same held-out ratings: errors, rankings, and how sure their difference is."""
