"""`python -m zc.zk COMMAND`: see `zc.zk.scripts`."""

import sys

from zc.zk.scripts import main

sys.exit(main())
