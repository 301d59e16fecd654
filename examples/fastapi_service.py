"""The price service with FastAPI.

    uvicorn fastapi_service:app --host 0.0.0.0 --port 8080

`GET /tea` answers with the price of tea, a property of the node /prices, which is followed. The
process is registered as soon as it listens, and withdrawn a second before it ends. `GET /-/health`
is for those who watch over it: the service goes on with the prices that it knows while ZooKeeper is
away, and says so. `GET /-/alive` tells only that the process answers. ZC_ZK_CONNECTION_STRING says
where ZooKeeper is, and PRICES_ADDRESS, HOST:PORT, where consumers reach this process if that is not
where it listens, as behind a port of a container.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import PlainTextResponse

import zc.zk.aio
import zookeeper
from zc.zk.serving.asgi import registered


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    address = os.environ.get("PRICES_ADDRESS")
    async with zc.zk.aio.ZooKeeper() as zk:
        app.state.zk = zk
        app.state.prices = await zk.properties("/prices")
        async with registered("/prices/providers", address, framework="fastapi"):
            yield


app = FastAPI(title="Prices", lifespan=lifespan)


@app.get("/-/health")
async def health(response: Response) -> dict[str, bool]:
    """Tell whether prices are known, and whether changes of them would be."""
    is_connected = app.state.zk.state == zookeeper.CONNECTED_STATE
    has_prices = not app.state.prices.deleted
    if not has_prices:
        response.status_code = 503
    return {"has_prices": has_prices, "is_connected": is_connected}


@app.get("/-/alive", status_code=204)
async def alive() -> None:
    """Answer, whatever is known: no new process would know more."""


@app.get("/{item}", response_class=PlainTextResponse)
async def price(item: str) -> str:
    """Tell the price of an item."""
    known = app.state.prices.get(item)
    if not isinstance(known, float | int):
        raise HTTPException(404, "nobody sells that")
    return f"{known:.2f}\n"
