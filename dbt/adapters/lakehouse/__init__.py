"""The plugin that dbt finds for `type: lakehouse`; the adapter itself is `gold.dbt.adapter`."""

from pathlib import Path

from dbt.adapters.base.plugin import AdapterPlugin

from gold.dbt.adapter import LakehouseAdapter
from gold.dbt.connection import LakehouseCredentials

Plugin = AdapterPlugin(
    adapter=LakehouseAdapter,  # pyright: ignore[reportArgumentType] - a class, as dbt's own plugins
    credentials=LakehouseCredentials,
    include_path=(Path(__file__).parents[2] / "include" / "lakehouse").as_posix(),
    dependencies=["spark"],
)
