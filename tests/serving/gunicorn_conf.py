"""gunicorn's configuration of a service that is registered."""

from __future__ import annotations

from zc.zk.serving.gunicorn import Registering

bind = "127.0.0.1:0"
workers = 2
graceful_timeout = 30

service = Registering("/providers", app="wsgi")
when_ready = service.when_ready
post_worker_init = service.post_worker_init
