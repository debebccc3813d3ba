"""The nightly refresh: make a version from new ratings, test and judge it, promote it or not; and keep the history.

This is the last room of `ops`: it may import all others, and no other room imports it.
"""
