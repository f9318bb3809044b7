"""The columns that the engine adds to a contract's own: name, Spark type, comment."""

from __future__ import annotations

TEXTS, LIST = "map<string,string>", "array<string>"
HASH = "SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member."
BATCH = "Number of the run that wrote the row."
OP = "What happened: c create, u update, d delete, r snapshot, t truncate."
SEQUENCE = "Place in the source's total order; text that sorts."
SOURCE_TS = "When the source committed the change (UTC)."
ORIGIN = "real or synthetic."
# The engine's own columns of a bronze row: name, type, comment
CAPTURED = (
    ("_op", "string", OP),
    ("_sequence", "string", SEQUENCE),
    ("_source_ts", "timestamp", SOURCE_TS),
    ("_source", "string", "File from which the row came."),
    ("_method", "string", "How it came: files or debezium."),
    ("_origin", "string", ORIGIN),
    ("_rescued", TEXTS, "What fits no column, as text."),
    ("_before", TEXTS, "The row before the change, as text."),
    ("_given", "string", "Columns that the change carried, with commas."),
    ("_old_key", TEXTS, "The key before the change, where it was changed."),
    ("_ingested_at", "timestamp", "When the row was captured (UTC)."),
    ("_batch", "bigint", BATCH),
)
AUDITED = {
    "_hashdiff": ("binary", "SHA-256 of all columns but the key: equal ones have equal content."),
    "_op": ("string", OP),
    "_sequence": ("string", SEQUENCE),
    "_source_ts": ("timestamp", SOURCE_TS),
    "_origin": ("string", ORIGIN),
    "_flags": (LIST, "Rules of severity warning that the row breaks."),
    "_batch": ("bigint", BATCH),
}
FAILURES = "array<struct<column:string,rule:string,value:string>>"
REJECTED = (
    ("row", TEXTS, "The row as it came, as text."),
    ("failures", FAILURES, "Each rule it breaks, with the value."),
    ("contract_version", "string", "Version of the contract that rejected it."),
    ("status", "string", "open, replayed or expired."),
    ("_op", "string", OP),
    ("_sequence", "string", SEQUENCE),
    ("_source_ts", "timestamp", SOURCE_TS),
    ("_source", "string", "File from which the row came."),
    ("_origin", "string", ORIGIN),
    ("_batch", "bigint", BATCH),
    ("quarantined_at", "timestamp", "When it was rejected (UTC)."),
    ("_row_id", "string", "Identifies the row as it came."),
    ("_bronze_batch", "bigint", "Number of the run that captured the row."),
    ("settled_batch", "bigint", "Number of the run that replayed or expired it."),
    ("settled_at", "timestamp", "When it was replayed or expired (UTC)."),
)
VALIDITY = (
    ("valid_from", "timestamp", "From when on the row is valid (UTC)."),
    ("valid_to", "timestamp", "Until when; null for the one that is still valid."),
    ("is_current", "boolean", "Whether it is still valid."),
    ("is_deleted", "boolean", "Whether the row was deleted in this span."),
)
