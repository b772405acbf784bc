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
        return Response(orjson.dumps(dict(zip(names, row, strict=True))), media_type="application/json")

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


def handle(connection, batch, now):
    """Sets all items of an order aside, or none. A batch reads the stock once, and writes it once."""
    created = [(event, trace) for event, trace in batch if event["event_type"] == "ORDER_CREATED"]
    available = stock(connection, created)
    taken, reservations, reserved_items, outbox = {}, [], [], []
    sequence = connection.execute("SELECT coalesce(max(sequence), 0) FROM reservations").fetchone()[0]
    for event, trace in created:
        items = [{"product_id": item["product_id"], "quantity": item["quantity"]} for item in event["items"]]
        order_id, version, sequence = event["order_id"], event["order_version"], sequence + 1
        if shortages := shortages_of(items, available):
            status = "REJECTED"
            known = all(item["product_id"] in available for item in items)
            reason = "OUT_OF_STOCK" if known else "UNKNOWN_PRODUCT"
            fields = {"reason": reason, "shortages": shortages}
        else:
            status, reason = "RESERVED", None
            fields = {"reservation_id": events.uuid7(now), "items": items}
            for item in items:
                product, quantity = item["product_id"], item["quantity"]
                available[product] -= quantity
                taken[product] = taken.get(product, 0) + quantity
        reservation_id = fields.get("reservation_id") or events.uuid7(now)
        reservations.append((sequence, reservation_id, order_id, status, orjson.dumps(items), reason, now, now))
        reserved_items += [(item["product_id"], status, sequence, item["quantity"]) for item in items]
        outbox.append(events.outbox_row(f"INVENTORY_{status}", "inventory", order_id, version, now, trace, **fields))
    connection.executemany(
        "UPDATE products SET reserved = reserved + ? WHERE product_id = ?",
        [(quantity, product) for product, quantity in taken.items()],
    )
    connection.executemany(
        "INSERT INTO reservations (sequence, reservation_id, order_id, status, items, reason, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        reservations,
    )
    connection.executemany(
        "INSERT INTO reservation_items (product_id, status, sequence, quantity) VALUES (?, ?, ?, ?)",
        reserved_items,
    )
    return outbox


def stock(connection, created) -> dict[str, int]:
    """What may still be reserved of the products that these orders name."""
    products = list({item["product_id"] for event, _ in created for item in event["items"]})
    return dict(
        connection.execute(
            "SELECT product_id, on_hand - reserved FROM products"
            " WHERE product_id IN (SELECT value FROM json_each(?))",
            (orjson.dumps(products).decode(),),
        )
    )


def shortages_of(items, available) -> list[dict]:
    return [
        {
            "product_id": item["product_id"], "requested": item["quantity"],
            "available": available.get(item["product_id"], 0),
        }
        for item in items
        if available.get(item["product_id"], 0) < item["quantity"]
    ]
