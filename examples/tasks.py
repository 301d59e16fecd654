"""Tasks of celery that need the prices.

    celery --app tasks worker

A worker of celery forks the processes that do the tasks (`--pool prefork`, the default), so each
opens a client when it has begun, and closes it at its end. ZC_ZK_CONNECTION_STRING says where
ZooKeeper is, and CELERY_CONFIG_MODULE names a module with the settings of celery.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

import zc.zk

app = Celery("tasks")
app.config_from_envvar("CELERY_CONFIG_MODULE", silent=True)
# celery replaces a process that is not ready after 4 seconds. A client waits for up to 9 seconds
# for a service that does not answer.
app.conf.worker_proc_alive_timeout = 15


class Till:
    """The client of a process of the worker, and what it follows."""

    zk: zc.zk.ZooKeeper
    prices: Mapping[str, float]


@worker_process_init.connect
def begin(**_: Any) -> None:
    Till.zk = zc.zk.ZooKeeper()
    Till.prices = Till.zk.properties("/prices")
    Till.zk.register("/prices/tills", f"till:{os.getpid()}")


@worker_process_shutdown.connect
def end(**_: Any) -> None:
    Till.zk.close()


@app.task
def cost(basket: list[str]) -> float:
    return sum(Till.prices[item] for item in basket)
