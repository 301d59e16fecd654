"""gunicorn's settings for gunicorn_service.py: registered while it serves."""

from __future__ import annotations

import os

from zc.zk.serving.gunicorn import Registering

bind = os.environ.get("PRICES_BIND", "127.0.0.1:0")
workers = 2
threads = 4
# Requests that are under way when it is asked to end have so many seconds.
graceful_timeout = 20

service = Registering("/prices/providers", os.environ.get("PRICES_ADDRESS"), framework="wsgi")
when_ready = service.when_ready
post_worker_init = service.post_worker_init
