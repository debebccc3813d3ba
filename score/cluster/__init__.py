"""Scoring on a Ray cluster. No other module of `score` imports ray (dependency group `cluster`)."""
