"""The night's work: new ratings become a version, which is tried, judged, and promoted or not; and what became of all.

The last of the rooms of `ops`: it may import all others, and none imports it.
"""
