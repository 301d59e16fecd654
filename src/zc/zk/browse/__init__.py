"""A tree in a web browser, live, to be looked at and not touched.

    with Site(zk) as site:
        print(site.url)
        site.serve_forever()

Data of nodes move one way: `watchedtree`, a live tree -> `views` and `publishing` (nodes as text
for the page) and `history` (what has changed) -> `site` and `request` (HTTP, server-sent events)
-> `page/`, which runs in the browser, finds out there what is wrong, and asks for the `diagram`.

The person who looks at the page is not the one who may write to a node. So nothing from a node is
ever markup: the page puts it into the document as text, the headers forbid all scripts and styles
but its own, and pages from elsewhere cannot read it, whatever name they find it by.
"""

from zc.zk.browse.site import Site

__all__ = ["Site"]
