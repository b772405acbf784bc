"""NotificationService: a mail per order and kind, in a mock mailbox."""

from pathlib import Path

import orjson
from fastapi import FastAPI, Request, Response

from . import events, store

COLUMNS = "email_id, order_id, customer_id, kind, status, created_at, sent_at"


def application(database: Path) -> FastAPI:
    app = FastAPI()
    connection = store.connect(database, store.NOTIFICATIONS)

    async def page(request: Request) -> Response:
        limit = int(request.query_params.get("limit", "50"))
        cursor = int(request.query_params.get("cursor", str(1 << 62)))
        rows = connection.execute(
            f"SELECT sequence, {COLUMNS} FROM emails WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
            (cursor, limit + 1),
        ).fetchall()
        emails = []
        for row in rows[:limit]:
            email = dict(zip(COLUMNS.split(", "), row[1:], strict=True))
            email["created_at"] = events.timestamp(email["created_at"])
            email["sent_at"] = events.timestamp(email["sent_at"])
            emails.append(email)
        following = str(rows[limit - 1][0]) if len(rows) > limit else None
        return Response(orjson.dumps({"emails": emails, "next_cursor": following}), media_type="application/json")

    app.router.add_route("/emails", page, methods=["GET"])
    return app


def handle(connection, batch, now):
    connection.executemany(
        "INSERT INTO emails (email_id, event_id, order_id, customer_id, kind, items, total, reason, status,"
        " created_at, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'SENT', ?, ?) ON CONFLICT (order_id, kind) DO NOTHING",
        [
            (
                events.uuid7(now), event["event_id"], event["order_id"], event["customer_id"], event["event_type"],
                orjson.dumps(event["items"]), round(event["total"] * 100), event.get("reason"), now, now,
            )
            for event, _ in batch
        ],
    )
    return []
