"""A contract as a Pandera schema, for notebooks, unit tests of a producer and parity tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandera.pandas as pa

    from contracts.model import Contract

# Spark type -> nullable pandas type; a type that is not listed is not coerced
PANDAS = {
    "boolean": "boolean",
    "tinyint": "Int8",
    "smallint": "Int16",
    "int": "Int32",
    "bigint": "Int64",
    "float": "float32",
    "double": "float64",
    "string": "string",
    "timestamp": "datetime64[ns, UTC]",
    "date": "datetime64[ns]",
}


def pandera_schema(contract: Contract) -> pa.DataFrameSchema:
    """Return the schema: one Pandera column a contract column, with the row rules as checks.

    Rules of severity `warning` raise a warning in Pandera too. The key is jointly unique.
    """
    import pandera.pandas as pa

    columns: dict[str, Any] = {}
    for column in contract.columns:
        checks = [
            getattr(pa.Check, rule.check)(
                **rule.arguments,
                name=rule.label,
                error=rule.label,
                raise_warning=rule.severity == "warning",
            )
            for rule in contract.rules
            if rule.column == column.name and rule.check != "required"
        ]
        columns[column.name] = pa.Column(
            PANDAS.get(column.type),
            checks=checks,
            nullable=not column.required,
            coerce=True,
            description=column.description,
        )
    return pa.DataFrameSchema(columns, unique=list(contract.keys) or None, name=contract.dataset)
