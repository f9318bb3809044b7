"""The gate: cleanses and validates each bronze row in one pass, and derives its hash keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from contracts.compilers import gate, hash_keys
from contracts.sql import from_text, literal, name
from contracts.types import LADDERS, decimal
from lakehouse.engine.python_checks import with_python_checks
from lakehouse.quality.quarantine_rows import ROW_ID
from silver.key_changes import MOVED_FROM, moved_from, old_key

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

    from contracts.model.contract import Column, Contract

IDENTITY, GOOD = "_identity", "_good"
CARRIED = ("_op", "_sequence", "_source_ts", "_source", "_origin", "_batch", "_rescued", ROW_ID)
TEXTS, NAMES = "map<string,string>", "array<string>"
# The names of the columns that a change left unchanged (TOAST)
UNCHANGED = "_unavailable"
GIVEN, BEFORE = "_given", "_before"
NUMBERS = tuple(kind for ladder in LADDERS for kind in ladder)
PLACE = ("_op", "_sequence", "_source", GIVEN)
# Whether a row is no event of its own: it is the content that an update replaced
FORMER = "_former"


def validated(bronze: DataFrame, contract: Contract) -> DataFrame:
    """Return one row a bronze row: cleansed, with `_failures`, `_flags`, and its vault keys.

    `_good` is whether a row breaks no rule, `_failures` is null then; whoever writes good rows
    selects by `_good`, which costs less. `_row` is the row as it came, as text. `_identity` is a
    64-bit hash of key and position, by which duplicates are found. Where rows have no key, a
    good update comes with a second row, `_former`: the delete of the content that it replaced.
    """
    bronze = identified(bronze)
    if not contract.keyless:
        return _validated(bronze, contract).withColumn(FORMER, F.lit(False))
    rows = _validated(bronze, contract, BEFORE)
    replaced = rows.where(f"_op = 'u' and {GOOD}").select(
        *[F.col(BEFORE)[label].alias(label) for label in bronze.columns if label[0] != "_"],
        F.lit("d").alias("_op"),
        *[column for column in CARRIED if column not in ("_op", "_rescued")],
        F.lit(None).cast(TEXTS).alias("_rescued"),
        F.array_join(F.map_keys(BEFORE), ",").alias(GIVEN),
    )
    formers = _validated(replaced, contract).where(GOOD)
    return (
        rows.drop(BEFORE)
        .withColumn(FORMER, F.lit(False))
        .unionByName(formers.withColumn(FORMER, F.lit(True)))
    )


def identified(bronze: DataFrame) -> DataFrame:
    """Return bronze rows with `_row_id`: the SHA-256, as hexadecimal digits, of what came and where.

    It stays the same when the table gets new columns, or wider types.
    """
    kinds = {field.name: field.dataType.simpleString() for field in bronze.schema.fields}
    pairs = ", ".join(
        f"{literal(label)}, {_plain_text(label, kind)}"
        for label, kind in sorted(kinds.items())
        if label[0] != "_" or label in PLACE
    )
    maps = ", ".join(f"to_json({label})" for label in ("_rescued", BEFORE) if label in kinds)
    came = f"to_json(named_struct({pairs}), map('ignoreNullFields', 'true'))"
    return bronze.withColumn(ROW_ID, F.expr(f"sha2(concat_ws('|', {came}, {maps}), 256)"))


def _plain_text(label: str, kind: str) -> str:
    if kind == "binary":
        return f"hex({name(label)})"
    wide = f"cast({name(label)} as double)" if kind == "float" else name(label)
    return f"cast({wide} as string)"


def _validated(bronze: DataFrame, contract: Contract, *kept: str) -> DataFrame:
    typed = _recovered(_in_contract_types(bronze, contract), contract)
    missing = gate.unchanged_columns(contract)
    typed = typed.withColumns(
        {UNCHANGED: F.expr(missing or f"cast(null as {NAMES})")} | old_key(bronze, contract)
    )
    cleansed = typed.select(
        *[_cleansed(contract, column).alias(column.name) for column in contract.columns],
        *CARRIED,
        *kept,
        UNCHANGED,
        moved_from(contract).alias(MOVED_FROM),
        F.expr(_as_it_came(contract)).alias("_row"),
    )
    checked = with_python_checks(cleansed, contract).withColumns(
        {
            GOOD: F.expr(gate.good(contract)),
            "_failures": F.expr(gate.failures(contract)),
            "_flags": F.expr(gate.flags(contract)),
        }
    )
    keys = hash_keys.parent_key(contract) | hash_keys.hub_keys(contract)
    apart = (*contract.names, "_op") if contract.keyless else contract.keys
    identity = ", ".join(name(column) for column in (*apart, "_sequence"))
    return checked.withColumns(
        {key: F.expr(expression) for key, expression in keys.items()}
        | {
            "_hashdiff": F.expr(hash_keys.hashdiff(contract)),
            IDENTITY: F.expr(f"xxhash64({identity})"),
        }
    )


def _cleansed(contract: Contract, column: Column) -> SparkColumn:
    value = F.expr(gate.cleansed(column))
    if not gate.can_be_unchanged(contract, column):
        return value
    there = F.coalesce(F.array_contains(UNCHANGED, column.name), F.lit(False))
    return F.when(~there, value)


def _as_it_came(contract: Contract) -> str:
    pairs = ", ".join(f"{literal(c)}, cast({name(c)} as string)" for c in contract.names)
    rescued = f"coalesce(_rescued, cast(map() as {TEXTS}))"
    present = f"map_filter(map({pairs}), (k, v) -> v is not null)"
    # A value sits in its column or in `_rescued`, never in both.
    return f"map_concat({present}, {rescued})"


def _evolved(contract: Contract, column: Column, kinds: dict[str, str]) -> str:
    """Return a column's value from the name it had when the row was captured, or its default.

    A delete that carries its key alone has no value of other columns, and no default either.
    """
    names = [label for label in (column.name, *column.previous) if label in kinds]
    default = "null" if column.absent is None else literal(column.absent)
    default = f"cast({default} as {column.type})"
    if column.absent is not None and not contract.keyless:
        default = f"case when _op <> 'd' then {default} end"
    values = {
        label: from_text(name(label), column.type)
        if kinds[label] == "string"
        else f"try_cast({name(label)} as {column.type})"
        for label in names
    }
    anyhow = f"coalesce({', '.join([*values.values(), default])})"
    if GIVEN not in kinds:
        return anyhow
    arms = [
        f"when array_contains(split({GIVEN}, ','), {literal(label)}) then {value}"
        for label, value in values.items()
    ]
    return f"case when {GIVEN} is null then {anyhow} {' '.join(arms)} else {default} end"


def _recovered(rows: DataFrame, contract: Contract) -> DataFrame:
    """Return the rows with values that were too large for a number's type then, and are not now."""
    wide = [c for c in contract.columns if c.type in NUMBERS or decimal(c.type)]
    if not wide:
        return rows
    fits = {c.name: f"try_cast(_rescued[{literal(c.name)}] as {c.type}) is not null" for c in wide}
    # Without a function of higher order, with which Spark compiles no stage
    fitting = ", ".join(
        f"case when {fit} then "
        f"named_struct('key', {literal(label)}, 'value', _rescued[{literal(label)}]) end"
        for label, fit in fits.items()
    )
    left = f"array_except(map_entries(_rescued), array({fitting}))"
    values = {
        c.name: F.expr(
            f"case when _rescued is null then {name(c.name)} "
            f"else coalesce({name(c.name)}, try_cast(_rescued[{literal(c.name)}] as {c.type})) end"
        )
        for c in wide
    }
    some = f"case when _rescued is not null and size({left}) > 0 then map_from_entries({left}) end"
    return rows.withColumns(values | {"_rescued": F.expr(some)})


def _in_contract_types(bronze: DataFrame, contract: Contract) -> DataFrame:
    """Return the rows with each column in its contract's type, misfits moved to `_rescued`.

    Bronze keeps the type a column came with at first; a contract may have named it since.
    """
    kinds = {field.name: field.dataType.simpleString() for field in bronze.schema.fields}
    columns, misfits = {}, []
    for column in contract.columns:
        quoted, given = name(column.name), kinds.get(column.name)
        if column.previous or column.absent is not None:
            columns[column.name] = F.expr(_evolved(contract, column, kinds))
        elif given is None:
            columns[column.name] = F.lit(None).cast(column.type)
        elif given != column.type:
            value = (
                from_text(quoted, column.type)
                if given == "string"
                else f"try_cast({quoted} as {column.type})"
            )
            columns[column.name] = F.expr(value)
            misfits.append((column.name, quoted, value))
    if misfits:
        unfit = {
            label: (f"{quoted} is not null and {value} is null", f"cast({quoted} as string)")
            for label, quoted, value in misfits
        }
        entries = ", ".join(
            f"case when {condition} then named_struct('key', {literal(label)}, 'value', {text}) end"
            for label, (condition, text) in unfit.items()
        )
        nothing = "array(cast(null as struct<key: string, value: string>))"
        rescued = f"map_from_entries(array_except(array({entries}), {nothing}))"
        both = f"map_concat(coalesce(_rescued, cast(map() as {TEXTS})), {rescued})"
        some = " or ".join(f"({condition})" for condition, _ in unfit.values())
        columns["_rescued"] = F.expr(f"case when {some} then {both} else _rescued end")
    return bronze.withColumns(columns) if columns else bronze
