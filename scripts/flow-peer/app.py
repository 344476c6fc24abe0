"""The shipped flow as it is built without Martlet: Starlette, asyncpg, Redis Streams and Redis pub/sub.

POST /likes saves in PostgreSQL and adds to a stream; two consumer groups read the stream, one inserts notifications,
one publishes; GET /users/{user}/notifications/stream is fed by a subscription. Only for scripts/bench-peer to compare
with: nothing here survives a crash between the save and the stream, which Martlet's outbox does.
"""
import asyncio
import contextlib
import json
import os
import time
import uuid

import asyncpg
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

pool = None
redis = None
listeners = {}


async def like(request):
    body = await request.json()
    actor, post, owner = body["actor"], body["post_id"], body["post_owner"]
    status = await pool.execute(
        "INSERT INTO likes (post_id, actor) VALUES ($1, $2) ON CONFLICT DO NOTHING", post, actor)
    if status.endswith("0"):
        return JSONResponse({}, 200)
    event = {
        "type": "like", "recipient": owner, "actor": actor, "post_id": post, "text": f"{actor} liked your post"}
    identifier = str(uuid.uuid4())
    await redis.xadd("notifications", {"id": identifier, "data": json.dumps(event, separators=(",", ":"))})
    return JSONResponse({"id": identifier}, 201)


async def stream(request):
    user = request.path_params["user"]
    queue = asyncio.Queue()
    listeners.setdefault(user, set()).add(queue)

    async def events():
        try:
            yield ": connected\n\n"
            while True:
                yield f"data: {await queue.get()}\n\n"
        finally:
            listeners[user].discard(queue)

    return StreamingResponse(events(), media_type="text/event-stream")


async def consume(group, handle):
    while True:
        answer = await redis.xreadgroup(group, "one", {"notifications": ">"}, count=500, block=1000)
        for _, entries in answer or []:
            await handle([(fields["id"], fields["data"]) for _, fields in entries])
            await redis.xack("notifications", group, *[entry for entry, _ in entries])


async def store(batch):
    now = int(time.time() * 1000)
    rows = [(identifier, event["recipient"], event["text"], now)
            for identifier, event in ((identifier, json.loads(data)) for identifier, data in batch)]
    await pool.execute(
        "INSERT INTO notifications (id, recipient, text, created_at) SELECT * FROM "
        "unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) ON CONFLICT DO NOTHING", *map(list, zip(*rows)))


async def push(batch):
    pipeline = redis.pipeline(transaction=False)
    for _, data in batch:
        pipeline.publish("notifications", data)
    await pipeline.execute()


async def listen():
    async with redis.pubsub() as subscription:
        await subscription.subscribe("notifications")
        async for message in subscription.listen():
            if message["type"] == "message":
                for queue in listeners.get(json.loads(message["data"])["recipient"], ()):
                    queue.put_nowait(message["data"])


@contextlib.asynccontextmanager
async def lifespan(app):
    global pool, redis
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8)
    redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    await pool.execute(
        "CREATE TABLE IF NOT EXISTS likes (post_id BIGINT NOT NULL, actor TEXT NOT NULL, PRIMARY KEY (post_id, actor));"
        "CREATE TABLE IF NOT EXISTS notifications (id TEXT PRIMARY KEY, recipient TEXT NOT NULL, text TEXT NOT NULL,"
        " created_at BIGINT NOT NULL);"
        "CREATE INDEX IF NOT EXISTS notifications_by_recipient ON notifications (recipient, id)")
    for group in ("store", "push"):
        with contextlib.suppress(Exception):
            await redis.xgroup_create("notifications", group, id="0", mkstream=True)
    tasks = [asyncio.create_task(work) for work in (consume("store", store), consume("push", push), listen())]
    yield
    for task in tasks:
        task.cancel()


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/likes", like, methods=["POST"]),
        Route("/users/{user}/notifications/stream", stream),
    ])
