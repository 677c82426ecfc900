"""Buckets that are too full to compare all: who is in them, and which pairs they still compare."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import kernel

MEMBER = np.uint8(1)
REPRESENTS = np.uint8(2)


@kernel
def take_roles(full, ahead, first, bands, role, changed):
    """Bring roles up to date by what some bands show now.

    ``role`` (uint8, passages x bands): what each passage is in its bucket of a band: 0 where that
    is not full, :data:`MEMBER`, or :data:`REPRESENTS` if all others are compared with it. ``full``
    and ``ahead`` (uint8, passages): the same of ``bands`` from number ``first`` on, a bit for each
    (see ``bands.join_band``), 0 also where nothing is new. ``changed`` (bool, passages) is set for
    those that have another role than before.
    """
    for p in range(len(full)):
        for band in range(bands):
            now = np.uint8((full[p] >> band & 1) + (ahead[p] >> band & 1))
            if now != 0 and role[p, first + band] != now:
                role[p, first + band] = now
                changed[p] = True


@kernel
def unpack_roles(passage, member, represents, role):
    """Roles (uint8, passages x bands, see :func:`take_roles`) from a bit for each band, the lowest
    first: whether ``passage[i]`` (int64) is a ``member`` of a full bucket, and whether it
    ``represents`` it (uint8, rows x bands / 8). The last row of a passage holds."""
    for i in range(len(passage)):
        for band in range(role.shape[1]):
            is_member = member[i, band >> 3] >> np.uint8(band & 7) & np.uint8(1)
            ahead = represents[i, band >> 3] >> np.uint8(band & 7) & np.uint8(1)
            role[passage[i], band] = is_member + ahead


@kernel
def still_compared(u, v, keys, role):
    """Which pairs (bool) of passages ``u``, ``v`` (int64) a bucket compares: they share a key of a
    band (``keys`` uint32, passages x bands), and are not both no more than members of a full bucket
    (``role``, see :func:`take_roles`)."""
    out = np.zeros(len(u), np.bool_)
    for i in range(len(u)):
        for band in range(keys.shape[1]):
            if keys[u[i], band] == keys[v[i], band] and (
                role[u[i], band] != MEMBER or role[v[i], band] != MEMBER
            ):
                out[i] = True
                break
    return out
