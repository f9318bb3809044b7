"""Scores of events: a stream reads bronze, joins gold's features, and a model scores each event once.

An event's way: `scoring.score` starts the stream; `micro_batch.Scorer` takes one micro-batch through
`events` (bronze rows to events), `features` (each event joined with the features of its candidates),
`onnx_scorer` (the model) and `actions` (rank and action), and commits the scores.
"""
