"""From bytes to answers: decode requests, ask the predictor, encode its answers.

`service.py` does all of that and knows no server. `ncf_handler.py`, `wire.py`, `rows.py` and `worker_metrics.py`
connect it to TorchServe.
"""
