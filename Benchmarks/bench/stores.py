"""The stores, read from outside while their services run."""

import sqlite3
from pathlib import Path


def rows_of(path: Path, sql: str, *arguments) -> list:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql, arguments).fetchall()
    except sqlite3.OperationalError as problem:
        # The file may be there before its tables are.
        raise OSError(str(problem)) from problem
    finally:
        connection.close()


def record(path: Path, sql: str, *arguments):
    return rows_of(path, sql, *arguments)[0]


def value(path: Path, sql: str, *arguments):
    return record(path, sql, *arguments)[0]


def rate_by(path: Path, table: str, moment: str) -> float:
    """Rows a second by their own times. What carries the first moment is the mark to count from, and not counted."""
    rows, first, last = record(path, f"SELECT COUNT(*), MIN({moment}), MAX({moment}) FROM {table}")
    marked = value(path, f"SELECT COUNT(*) FROM {table} WHERE {moment} = ?", first)
    return (rows - marked) / max(last - first, 1) * 1000
