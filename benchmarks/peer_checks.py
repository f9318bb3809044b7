"""How each peer is given the rules, one function a peer: it validates the rows and writes them.

A function returns (failing rows that came out, or None; whether they came with their reasons).
Imports stand in the functions: no environment has all peers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import DataFrame

Spec = dict[str, Any]
Outcome = tuple[int | None, bool]
LOW, HIGH = "greater_than_or_equal_to", "less_than_or_equal_to"


def ours(rows: DataFrame, spec: Spec, write: Callable[..., Any]) -> Outcome:
    """Good rows and flags in one write, and the failing rows with all their reasons in another."""
    from pathlib import Path

    from pyspark.sql import functions as F

    from contracts.compilers import gate
    from contracts.parsing.load import load_domain

    contract = load_domain(Path(spec["contracts"]), spec["domain"])[spec["dataset"]]
    columns = [F.expr(gate.cleansed(column)).alias(column.name) for column in contract.columns]
    validated = rows.select(*columns, "_op", "_rescued").withColumns(
        {
            "_good": F.expr(gate.good(contract)),
            "_flags": F.expr(gate.flags(contract)),
            "_failures": F.expr(gate.failures(contract)),
        }
    )
    write(validated.where("_good").select(*contract.names, "_op", "_flags"), "good")
    if spec.get("good_only"):
        return None, False
    failing = validated.where("not _good").select(*contract.names, "_op", "_failures")
    return write(failing, "bad", count=True), True


def ours_good_rows(rows: DataFrame, spec: Spec, write: Callable[..., Any]) -> Outcome:
    """The write of the good rows alone: what the gate adds to a batch without a failing row."""
    return ours(rows, {**spec, "good_only": True}, write)


def pandera_pyspark(rows: DataFrame, spec: Spec, write: Callable[..., Any]) -> Outcome:
    """Pandera's own Spark schema: names the rules that broke, not the rows."""
    import pandera.pyspark as pas
    from pyspark.sql.types import _parse_datatype_string

    columns = {}
    for column in spec["columns"]:
        rules = [rule for rule in spec["rules"] if rule["column"] == column["name"]]
        columns[column["name"]] = pas.Column(
            _parse_datatype_string(column["type"]),
            checks=[
                getattr(pas.Check, rule["check"])(**_typed(rule, column["type"]))
                for rule in rules
                if rule["check"] != "required"
            ],
            nullable=not any(rule["check"] == "required" for rule in rules),
        )
    validated = pas.DataFrameSchema(columns).validate(rows.select(*columns))
    assert validated.pandera.errors, "the planted rows were not noticed"
    write(rows.select(*columns, "_op"), "good")
    return None, False


def pandera_arrow(rows: DataFrame, spec: Spec, write: Callable[..., Any]) -> Outcome:
    """Pandera on Arrow batches in Spark's Python workers, all failures of a row beside it."""
    from pyspark.sql.types import ArrayType, StringType

    names = [column["name"] for column in spec["columns"]]
    schema = rows.select(*names, "_op").schema.add("_failures", ArrayType(StringType()))

    def validate(batches: Iterator[Any]) -> Iterator[Any]:
        import pandas as pd
        import pandera.pandas as pandera
        import pyarrow as pa

        whole = {
            pa.int64(): pd.Int64Dtype(),
            pa.int32(): pd.Int32Dtype(),
            pa.string(): pd.StringDtype(),
        }
        columns = {}
        for column in spec["columns"]:
            rules = [rule for rule in spec["rules"] if rule["column"] == column["name"]]
            columns[column["name"]] = pandera.Column(
                checks=[
                    getattr(pandera.Check, rule["check"])(
                        **_typed(rule, column["type"]), name=f"{column['name']} {rule['check']}"
                    )
                    for rule in rules
                    if rule["check"] != "required"
                ],
                nullable=not any(rule["check"] == "required" for rule in rules),
            )
        dataframe_schema = pandera.DataFrameSchema(columns)
        for batch in batches:
            frame = batch.to_pandas(types_mapper=whole.get)
            reasons: list[Any] = [None] * len(frame)
            try:
                dataframe_schema.validate(frame, lazy=True)
            except pandera.errors.SchemaErrors as errors:
                for case in errors.failure_cases.to_dict("records"):
                    place = int(case["index"])
                    reasons[place] = [*(reasons[place] or []), str(case["check"])]
            failures = pa.array(reasons, pa.list_(pa.string()))
            table = pa.Table.from_batches([batch]).append_column("_failures", failures)
            yield from table.to_batches()

    return write(
        rows.select(*names, "_op").mapInArrow(validate, schema),
        "good",
        count="_failures is not null",
    ), True


def great_expectations(rows: DataFrame, spec: Spec, write: Callable[..., Any]) -> Outcome:
    """A suite on Spark with complete results: the keys of failing rows, expectation by expectation."""
    import great_expectations as gx
    from great_expectations import expectations as gxe

    names = [column["name"] for column in spec["columns"]]
    kinds = {column["name"]: column["type"] for column in spec["columns"]}
    context = gx.get_context(mode="ephemeral")
    suite = gx.ExpectationSuite(name="peers")
    for rule in spec["rules"]:
        column, given = rule["column"], _typed(rule, kinds[rule["column"]])
        made = {
            "required": lambda c, _: gxe.ExpectColumnValuesToNotBeNull(column=c),
            LOW: lambda c, g: gxe.ExpectColumnValuesToBeBetween(column=c, min_value=g["min_value"]),
            HIGH: lambda c, g: gxe.ExpectColumnValuesToBeBetween(
                column=c, max_value=g["max_value"]
            ),
            "isin": lambda c, g: gxe.ExpectColumnValuesToBeInSet(
                column=c, value_set=g["allowed_values"]
            ),
        }[rule["check"]]
        expectation = made(column, given)
        if not any(expectation == other for other in suite.expectations):
            suite.add_expectation(expectation)
    asset = context.data_sources.add_spark("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
        {"dataframe": rows.select(*names)}
    )
    result = batch.validate(
        suite,
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": spec["keys"]},
    )
    failing_keys = {
        str([index[key] for key in spec["keys"]])
        for outcome in result.results
        if not outcome.success
        for index in outcome.result.get("unexpected_index_list") or []
    }
    write(rows.select(*names, "_op"), "good")
    return len(failing_keys), True


def dqx(rows: DataFrame, spec: Spec, write: Callable[..., Any]) -> Outcome:
    """DQX's engine, with a stand-in for the workspace client as in DQX's own tests."""
    from unittest.mock import MagicMock

    from databricks.labs.dqx import check_funcs
    from databricks.labs.dqx.engine import DQEngineCore
    from databricks.labs.dqx.rule import DQRowRule
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import functions as F

    names = [column["name"] for column in spec["columns"]]
    kinds = {column["name"]: column["type"] for column in spec["columns"]}
    checks = []
    for rule in spec["rules"]:
        given = _typed(rule, kinds[rule["column"]])
        function, arguments = {
            "required": (check_funcs.is_not_null, {}),
            LOW: (check_funcs.is_not_less_than, {"limit": given.get("min_value")}),
            HIGH: (check_funcs.is_not_greater_than, {"limit": given.get("max_value")}),
            "isin": (
                check_funcs.is_in_list,
                {"allowed": [F.lit(value) for value in given.get("allowed_values", ())]},
            ),
        }[rule["check"]]
        checks.append(
            DQRowRule(
                criticality="error", check_func=function, column=rule["column"],
                check_func_kwargs=arguments,
            )
        )  # fmt: skip
    engine = DQEngineCore(MagicMock(spec=WorkspaceClient), rows.sparkSession)
    good, bad = engine.apply_checks_and_split(rows.select(*names, "_op"), checks)
    write(good, "good")
    return write(bad, "bad", count=True), True


def lakelogic(rows: DataFrame, spec: Spec, write: Callable[..., Any]) -> Outcome:
    """LakeLogic's processor on Spark, with the rules as SQL."""
    from lakelogic import DataProcessor

    names = [column["name"] for column in spec["columns"]]
    kinds = {column["name"]: column["type"] for column in spec["columns"]}
    contract = {
        "version": "1.0.0",
        "info": {"title": spec["dataset"], "version": "1.0.0"},
        "dataset": spec["dataset"],
        "model": {"fields": [{"name": name, "type": kind} for name, kind in kinds.items()]},
        "quality": {
            "row_rules": [
                {
                    "name": f"{rule['column']}_{rule['check']}",
                    "sql": _sql(rule, kinds[rule["column"]]),
                }
                for rule in spec["rules"]
            ]
        },
    }
    result = DataProcessor(contract, engine="spark").run(rows.select(*names, "_op"))
    write(result.good, "good")
    return write(result.bad, "bad", count=True), True


def _sql(rule: dict[str, Any], kind: str) -> str:
    column, given = rule["column"], rule["arguments"]
    if rule["check"] == "required":
        return f"{column} is not null"
    if rule["check"] == "isin":
        return f"{column} in ({', '.join(repr(value) for value in given['allowed_values'])})"
    sign, value = (">=", given["min_value"]) if rule["check"] == LOW else ("<=", given["max_value"])
    return f"{column} {sign} {f'timestamp{value!r}' if kind == 'timestamp' else value}"


def _typed(rule: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the arguments with times as times and amounts as decimals, which some peers insist on."""
    from datetime import datetime
    from decimal import Decimal

    arguments = dict(rule["arguments"])
    for name in ("min_value", "max_value"):
        if name in arguments and kind == "timestamp":
            arguments[name] = datetime.fromisoformat(arguments[name] + "+00:00")
        elif name in arguments and kind.startswith("decimal"):
            arguments[name] = Decimal(str(arguments[name]))
    return arguments


PEERS: dict[str, Callable[..., Outcome]] = {
    "ours": ours,
    "ours, good rows": ours_good_rows,
    "pandera.pyspark": pandera_pyspark,
    "pandera on arrow batches": pandera_arrow,
    "great expectations": great_expectations,
    "dqx": dqx,
    "lakelogic": lakelogic,
}
