"""Engines elsewhere against the local one: DuckDB and Spark by the same Ibis expressions."""
