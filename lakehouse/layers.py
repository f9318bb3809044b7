"""The names of the layers, in the order of the flow."""

from __future__ import annotations

# What `lakehouse run` walks; streams and jobs feed platinum
BATCH = ("bronze", "silver", "gold")
PLATINUM = "platinum"
LAYERS = (*BATCH, PLATINUM)
# `ops` has the ledger, publications and alerts
STORED = (*LAYERS, "ops")
