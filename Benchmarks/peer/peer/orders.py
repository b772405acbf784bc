"""OrderService: intake over HTTP, and the inventory's answers."""

import asyncio
from pathlib import Path

import orjson
from fastapi import FastAPI, Request, Response

from . import events, store, wake

INSERT_ORDER = (
    "INSERT INTO orders (order_id, customer_id, status, version, total, items, created_at, updated_at)"
    " VALUES (?, ?, 'PENDING', 1, ?, ?, ?, ?)"
)


class Invalid(Exception):
    pass


def cents(value) -> int:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Invalid("unit_price is no number")
    scaled = round(value * 100)
    if abs(scaled - value * 100) > 1e-6 or not 0 <= scaled <= 100_000_000:
        raise Invalid("unit_price is out of bounds")
    return scaled


def identifier(value) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 64:
        raise Invalid("an id is out of bounds")
    return value


def draft(body: bytes):
    order = orjson.loads(body)
    items, total = [], 0
    if not isinstance(order, dict) or not isinstance(order.get("items"), list) or not 1 <= len(order["items"]) <= 100:
        raise Invalid("items are missing")
    for item in order["items"]:
        quantity = item.get("quantity")
        if not isinstance(quantity, int) or not 1 <= quantity <= 10_000:
            raise Invalid("quantity is out of bounds")
        price = cents(item.get("unit_price"))
        total += quantity * price
        product = identifier(item.get("product_id"))
        items.append({"product_id": product, "quantity": quantity, "unit_price": price / 100})
    if len({item["product_id"] for item in items}) != len(items):
        raise Invalid("a product is there twice")
    return identifier(order.get("customer_id")), items, total


def order_json(row) -> dict:
    order_id, customer_id, status, version, total, items, reason, created_at, updated_at = row
    return {
        "order_id": order_id, "customer_id": customer_id, "items": orjson.loads(items), "total": total / 100,
        "status": status, "version": version, "created_at": events.timestamp(created_at),
        "updated_at": events.timestamp(updated_at), **({"reason": reason} if reason else {}),
    }


STATUS_AFTER = {"INVENTORY_RESERVED": "CONFIRMED", "INVENTORY_REJECTED": "REJECTED"}
COLUMNS = "order_id, customer_id, status, version, total, items, reason, created_at, updated_at"


def application(database: Path, bell: Path) -> FastAPI:
    app = FastAPI()
    relay = wake.Bell(bell)
    reader = store.connect(database, store.ORDERS)

    def write_batch(connection, batch):
        connection.executemany(INSERT_ORDER, [job[1] for job in batch])
        connection.executemany(store.INSERT_OUTBOX, [job[2] for job in batch])

    def after_commit(batch, error):
        relay.ring()
        batch[0][0].get_loop().call_soon_threadsafe(answer, batch, error)

    def answer(batch, error):
        for job in batch:
            if not job[0].done():
                job[0].set_result(None) if error is None else job[0].set_exception(error)

    writer = store.GroupCommit(store.connect(database, store.ORDERS), write_batch, after_commit)

    async def place(request: Request) -> Response:
        try:
            customer, items, total = draft(await request.body())
        except (Invalid, orjson.JSONDecodeError, AttributeError, TypeError) as problem:
            body = orjson.dumps({"title": "Unprocessable", "status": 422, "detail": str(problem)})
            return Response(body, 422, media_type="application/problem+json")
        now = store.now_ms()
        order_id = events.uuid7(now)
        told = events.outbox_row(
            "ORDER_CREATED", "orders", order_id, 1, now, request.headers.get("traceparent"),
            customer_id=customer, items=items, total=total / 100,
        )
        encoded = orjson.dumps(items)
        done = asyncio.get_running_loop().create_future()
        writer.submit((done, (order_id, customer, total, encoded, now, now), told))
        await done
        body = orjson.dumps(order_json((order_id, customer, "PENDING", 1, total, encoded, None, now, now)))
        return Response(body, 201, {"location": f"/orders/{order_id}"}, media_type="application/json")

    async def get(request: Request) -> Response:
        row = reader.execute(
            f"SELECT {COLUMNS} FROM orders WHERE order_id = ?", (request.path_params["order_id"],)
        ).fetchone()
        if row is None:
            return Response(b"{}", 404, media_type="application/problem+json")
        return Response(orjson.dumps(order_json(row)), media_type="application/json")

    async def page(request: Request) -> Response:
        limit = int(request.query_params.get("limit", "50"))
        cursor = int(request.query_params.get("cursor", str(1 << 62)))
        rows = reader.execute(
            f"SELECT sequence, {COLUMNS} FROM orders WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
            (cursor, limit + 1),
        ).fetchall()
        following = str(rows[limit - 1][0]) if len(rows) > limit else None
        body = {"orders": [order_json(row[1:]) for row in rows[:limit]], "next_cursor": following}
        return Response(orjson.dumps(body), media_type="application/json")

    # Raw routes: FastAPI's own argument parsing costs more than the rest of the request.
    app.router.add_route("/orders", place, methods=["POST"])
    app.router.add_route("/orders", page, methods=["GET"])
    app.router.add_route("/orders/{order_id}", get, methods=["GET"])
    return app


def handle(connection, batch, now):
    """Confirms or rejects orders that are still pending."""
    answers = [(event, trace) for event, trace in batch if event["event_type"] in STATUS_AFTER]
    ids = orjson.dumps([event["order_id"] for event, _ in answers]).decode()
    orders = {
        row[0]: row
        for row in connection.execute(
            "SELECT order_id, status, customer_id, items, total, version FROM orders"
            " WHERE order_id IN (SELECT value FROM json_each(?))",
            (ids,),
        )
    }
    updates, outbox = [], []
    for event, trace in answers:
        # An order that is not ours is a dead letter.
        order_id, status, customer, items, total, version = orders.pop(event["order_id"])
        if status != "PENDING":
            continue
        status, reason = STATUS_AFTER[event["event_type"]], event.get("reason")
        fields = {"customer_id": customer, "items": orjson.loads(items), "total": total / 100}
        if reason:
            fields["reason"] = reason
        updates.append((status, version + 1, reason, now, order_id, version))
        outbox.append(events.outbox_row(f"ORDER_{status}", "orders", order_id, version + 1, now, trace, **fields))
    connection.executemany(
        "UPDATE orders SET status = ?, version = ?, reason = ?, updated_at = ?"
        " WHERE order_id = ? AND status = 'PENDING' AND version = ?",
        updates,
    )
    return outbox
