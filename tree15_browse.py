import sys, time, json, http.client, threading, os, subprocess, resource
sys.path.insert(0, '.'); sys.path.insert(0, 'benchmarks')
import zc.zk, zookeeper
from zc.zk.browse import Site
from harness.shapes import generate
from harness.service import running_service
N = int(sys.argv[1])
def rss():
    return int(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS'))) // 1024
with running_service(None) as service:
    nodes = generate("mixed", N)
    with service.tree("/r", nodes):
        del nodes
        zk = zc.zk.ZooKeeper(service.hosts + "/r", 60000); other = zc.zk.ZooKeeper(service.hosts + "/r", 60000)
        before = rss(); t = time.perf_counter()
        site = Site(zk, port=0)
        print("site made", round(time.perf_counter() - t, 2))
        threading.Thread(target=site.serve_forever, daemon=True).start()
        c = http.client.HTTPConnection(site.host, site.server_port, timeout=300); c.request("GET", "/events"); a = c.getresponse()
        count = 0; first = None; change = None; set_at = None
        while True:
            line = a.readline()
            if line.startswith(b"data: [["):
                rows = json.loads(line[6:]); count += len(rows)
                if first is None: first = time.perf_counter() - t; print("first views", round(first, 2))
                if change is None and count >= N:
                    print("all views", round(time.perf_counter() - t, 2), count, "rss +MB", rss() - before)
                    change = True; set_at = time.perf_counter(); other.set("/", "changed")
                elif change and any(p == "/" for p, _ in rows):
                    print("change to page", round(time.perf_counter() - set_at, 3)); break
        os._exit(0)
