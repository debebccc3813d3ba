"""Prepared ratings: a folder in parts by user, which any engine may write and training by parts reads."""
