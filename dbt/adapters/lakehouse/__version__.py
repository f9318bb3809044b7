"""The version that dbt prints for the adapter: that of dbt-spark, on which it stands."""

from dbt.adapters.spark.__version__ import version

__all__ = ["version"]
