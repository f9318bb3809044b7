"""Rows as a pandas frame: a column's pandas type, and a row rule's SQL condition run by DuckDB."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pandas and pyarrow ship no types

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.sql import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from contracts.model.contract import Contract

# Spark type -> nullable pandas type; a type that is not listed is not coerced
PANDAS = {
    "boolean": "boolean",
    "tinyint": "Int8",
    "smallint": "Int16",
    "int": "Int32",
    "bigint": "Int64",
    "float": "float32",
    "double": "float64",
    # Arrow's strings have regular expressions of their own
    "string": "string[python]",
    "timestamp": "datetime64[ns, UTC]",
    "date": "datetime64[ns]",
}


def series(values: Any, spark_type: str) -> pd.Series:
    """Return an Arrow array of a Spark type as the series that Pandera validates, nulls kept apart."""
    import pandas as pd
    import pyarrow as pa

    wanted = PANDAS.get(spark_type)
    if wanted is None:
        return pd.Series(values.to_pandas(), dtype="object")
    kind: Any = pd.api.types.pandas_dtype(wanted)
    if hasattr(kind, "__from_arrow__") and not spark_type.startswith("timestamp"):
        return pd.Series(kind.__from_arrow__(pa.chunked_array([values])))
    return values.to_pandas(date_as_object=False).astype(kind)


def condition(sql: str, contract: Contract) -> Callable[[pd.DataFrame], pd.Series]:
    """Return a function of frames: for each row whether it meets a condition in Spark's SQL."""
    import sqlglot

    expression = sqlglot.transpile(sql, read="databricks", write="duckdb")[0]
    columns = ", ".join(
        f"{_null_for_nan(column.name, column.type)} as {quoted(column.name)}"
        for column in contract.columns
    )

    def met(rows: pd.DataFrame) -> pd.Series:
        import duckdb
        import pandas as pd

        with duckdb.connect() as connection:
            connection.register("rows", rows.reset_index(drop=True))
            query = f"select coalesce({expression}, true) as met from (select {columns} from rows)"
            outcome = connection.sql(query).df()["met"]
        return pd.Series(outcome.to_numpy(dtype=bool), index=rows.index)

    return met


def _null_for_nan(name: str, kind: str) -> str:
    if kind in ("float", "double"):
        return f"case when not isnan({quoted(name)}) then {quoted(name)} end"
    if kind.startswith("decimal"):
        return f"cast({quoted(name)} as {kind})"
    return quoted(name)
