"""Adds the users who have events and no ratings to an artifact. A network is fitted without them.

Their row of the user table is the unknown user's, because nothing is known of their ratings. Ids are in ascending
order, so the rows of all later users shift.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from model.artifact import Artifact
from model.events import EventHistory
from model.history import History
from model.ids import IdMap
from model.network import RatingNetwork
from train.dataset.tensors import Events
from train.user_table import moved_rows, put_users


def add_events(artifact: Artifact, network: RatingNetwork, events: Events) -> Artifact:
    """The artifact with these events and their users. `network`, which is the artifact's, gets a larger user table."""
    old = artifact.user_ids
    user_ids = IdMap(np.union1d(old.ids, events.new_users) if len(events.new_users) else old.ids)
    rows = np.searchsorted(user_ids.ids, old.ids)
    if len(user_ids) > len(old):
        table = torch.as_tensor(network.state_dict()["user_embedding.weight"])
        put_users(network, moved_rows(table, torch.from_numpy(rows), len(user_ids)))
    history = _moved(artifact.history, rows, len(user_ids))
    # Events number the unknown user between the known and the new ones.
    numbered = np.concatenate([rows, [len(user_ids)], np.searchsorted(user_ids.ids, events.new_users)])
    pairs = numbered[events.user_index.numpy()], events.movie_index.numpy()
    return replace(artifact, user_ids=user_ids, history=history, events=EventHistory.from_pairs(*pairs, history))


def _moved(history: History, rows: np.ndarray, num_users: int) -> History:
    """The same history for `num_users` users; the user in row u has moved to row rows[u], and the order stays."""
    counts = np.zeros(num_users, dtype=history.offsets.dtype)
    counts[rows] = np.diff(history.offsets)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(history.offsets.dtype)
    return History(offsets, history.movie_index, history.ratings)
