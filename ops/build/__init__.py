"""What a version is made of, and the verbs that make one: train, update, adopt, package, report, serve, run, clean.

A version is immutable: no verb here replaces what lies under its name by something else.
"""
