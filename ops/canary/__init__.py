"""Test a canary beside the default: send requests to both, compare the answers, and read nginx's log of both.

Also gives the verdict on two versions. Imports all other rooms of `ops` except `refresh`.
"""
