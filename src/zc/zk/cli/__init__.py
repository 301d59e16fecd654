"""The commands, one a module; `zc.zk.scripts` has their entry points."""
