"""Work on trees of nodes: read, plan, apply."""
