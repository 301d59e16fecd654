"""Servers of others, registered while they listen: `zc.zk.serving.asgi`, `zc.zk.serving.gunicorn`.

A server is registered when its process listens, and no sooner. When it is asked to end (SIGTERM) it
is withdrawn at once, goes on serving for a while, the grace, in which consumers hear of it, and
only then stops. So no consumer that follows the list sends a request to a server that has stopped.
"""
