"""The methods of `zc.zk.ZooKeeper`, by subject; the class itself is in `zc.zk.client`."""
