"""Test a canary beside the default: send requests to both, compare the answers, and read nginx's log of both.

This room also gives the verdict on two versions. It imports all other rooms of `ops` except `refresh`.
"""
