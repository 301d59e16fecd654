"""The engine on a TCP port, in ZooKeeper's protocol."""
