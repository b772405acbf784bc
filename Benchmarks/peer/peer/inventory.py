"""InventoryService: the stock, and an answer to every order."""

from pathlib import Path

import orjson
from fastapi import FastAPI, Request, Response

from . import events, store


def application(database: Path) -> FastAPI:
    app = FastAPI()
    connection = store.connect(database, store.INVENTORY)

    async def put(request: Request) -> Response:
        product = orjson.loads(await request.body())
        connection.execute(
            "INSERT INTO products (product_id, name, on_hand) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET name = excluded.name, on_hand = excluded.on_hand",
            (request.path_params["product_id"], product["name"], product["on_hand"]),
        )
        return await get(request)

    async def get(request: Request) -> Response:
        row = connection.execute(
            "SELECT product_id, name, on_hand, reserved, on_hand - reserved FROM products WHERE product_id = ?",
            (request.path_params["product_id"],),
        ).fetchone()
        if row is None:
            return Response(b"{}", 404, media_type="application/problem+json")
        names = ("product_id", "name", "on_hand", "reserved", "available")
        return Response(orjson.dumps(dict(zip(names, row))), media_type="application/json")

    async def page(request: Request) -> Response:
        limit = int(request.query_params.get("limit", "50"))
        cursor = int(request.query_params.get("cursor", str(1 << 62)))
        rows = connection.execute(
            "SELECT sequence, reservation_id, order_id, status, items, created_at FROM reservations"
            " WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
            (cursor, limit + 1),
        ).fetchall()
        reservations = [
            {
                "reservation_id": row[1], "order_id": row[2], "status": row[3], "items": orjson.loads(row[4]),
                "created_at": events.timestamp(row[5]),
            }
            for row in rows[:limit]
        ]
        following = str(rows[limit - 1][0]) if len(rows) > limit else None
        body = {"reservations": reservations, "next_cursor": following}
        return Response(orjson.dumps(body), media_type="application/json")

    app.router.add_route("/products/{product_id}", put, methods=["PUT"])
    app.router.add_route("/products/{product_id}", get, methods=["GET"])
    app.router.add_route("/reservations", page, methods=["GET"])
    return app


def handle(connection, orders, now):
    """Sets all items of an order aside, or none."""
    rows = []
    for event in orders:
        if event["event_type"] != "ORDER_CREATED":
            continue
        items = [{"product_id": item["product_id"], "quantity": item["quantity"]} for item in event["items"]]
        taken, shortages = [], []
        for item in items:
            changed = connection.execute(
                "UPDATE products SET reserved = reserved + ? WHERE product_id = ? AND on_hand - reserved >= ?",
                (item["quantity"], item["product_id"], item["quantity"]),
            )
            if changed.rowcount:
                taken.append(item)
            else:
                shortages.append({"product_id": item["product_id"], "requested": item["quantity"], "available": 0})
        if shortages:
            for item in taken:
                connection.execute(
                    "UPDATE products SET reserved = reserved - ? WHERE product_id = ?",
                    (item["quantity"], item["product_id"]),
                )
        status, reason = ("REJECTED", "OUT_OF_STOCK") if shortages else ("RESERVED", None)
        order_id, reservation_id = event["order_id"], events.uuid7(now)
        connection.execute(
            "INSERT INTO reservations (reservation_id, order_id, status, items, reason, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (reservation_id, order_id, status, orjson.dumps(items), reason, now, now),
        )
        told = f"INVENTORY_{status}"
        fields = {"reason": reason, "shortages": shortages} if shortages else {
            "reservation_id": reservation_id, "items": items,
        }
        event_id, value = events.encode(told, order_id, event["order_version"], now, **fields)
        rows.append((now, event_id, told, "inventory", order_id, value))
    return rows
