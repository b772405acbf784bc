"""Stores of any size in a minute: a few thousand real orders, copied inside SQLite.

Each copy is the same rows with other ids and earlier moments. Ids are UUIDv7, whose first eight hex digits count units
of 65.536 s; a copy has other digits there, in every column in which they occur, and moments that many units earlier. So
the copies come in the order of their ids, as real rows do, whatever tables and columns a store has.
"""

import sqlite3
from pathlib import Path

from .processes import Failed

UNIT = 65_536


def multiply(path: Path, copies: int) -> None:
    """Leaves `copies` times the rows of every table that has grown with the orders."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        _multiply(connection, copies)
    finally:
        connection.close()


def _multiply(connection: sqlite3.Connection, copies: int) -> None:
    for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
        connection.execute(f"PRAGMA {pragma}")
    tables = _grown_tables(connection)
    unit = _unit_of_ids(connection)
    stride = max(
        connection.execute(f"SELECT MAX(sequence) FROM {table}").fetchone()[0]
        for table, columns in tables.items() if "sequence" in columns
    )
    connection.execute("BEGIN")
    statements = []
    for table, columns in tables.items():
        connection.execute(f"CREATE TEMP TABLE original_{table} AS SELECT * FROM {table}")
        connection.execute(f"DELETE FROM {table}")
        expressions = ", ".join(_copied(name, kind) for name, kind in columns.items())
        statements.append(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {expressions} FROM original_{table}")
    for copy in range(copies):
        age = copies - 1 - copy
        values = {
            "old": f"{unit:08x}", "new": f"{unit - age:08x}", "shift": age * UNIT, "stride": copy * stride,
        }
        for statement in statements:
            connection.execute(statement, values)
    if "reservations" in tables:
        connection.execute("UPDATE products SET reserved = reserved * ?", (copies,))
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")


def _grown_tables(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    """Those with at least a row for each order; their columns with their types."""
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    counts = {name: connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for (name,) in names.fetchall()}
    return {
        name: {column[1]: column[2] for column in connection.execute(f"PRAGMA table_info({name})")}
        for name, count in counts.items() if count >= counts["processed_events"] / 2
    }


def _unit_of_ids(connection: sqlite3.Connection) -> int:
    units = connection.execute("SELECT DISTINCT substr(event_id, 1, 8) FROM processed_events").fetchall()
    if len(units) != 1:
        raise Failed("the orders to copy were not placed within one unit of 65.536 s")
    return int(units[0][0], 16)


def _copied(column: str, kind: str) -> str:
    if column.endswith("sequence"):
        return f"{column} + :stride"
    if column.endswith("_at"):
        return f"{column} - :shift"
    if kind == "TEXT":
        return f"replace({column}, :old, :new)"
    if kind == "BLOB":
        return f"CAST(replace(CAST({column} AS TEXT), :old, :new) AS BLOB)"
    return column
