"""The recipe of a version, and the verbs: train, update, adopt, package, report, serve, run, clean.

A version is immutable: no verb here replaces its content.
"""
