"""What a network is worth: held-out errors, baselines, report, model card."""
