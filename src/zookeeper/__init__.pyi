# The functions have the docstrings themselves: help(zookeeper.get). The signatures stand in
# binding.py, once for all bindings.
from collections.abc import Callable
from typing import Final, Literal, ParamSpec

from zookeeper.answers import Answers as Answers
from zookeeper.binding import Binding
from zookeeper.constants import *  # noqa: F403
from zookeeper.errors import *  # noqa: F403
from zookeeper.log import set_log_stream as set_log_stream
from zookeeper.sasl import SASL as SASL
from zookeeper.tls import TLS as TLS
from zookeeper.types import Acl as Acl
from zookeeper.types import AclEntry as AclEntry
from zookeeper.types import Cancellable as Cancellable
from zookeeper.types import Data as Data
from zookeeper.types import Operation as Operation
from zookeeper.types import Progress as Progress
from zookeeper.types import ProvenIdentity as ProvenIdentity
from zookeeper.types import Stat as Stat
from zookeeper.types import Subtree as Subtree
from zookeeper.types import Watcher as Watcher
from zookeeper.types import Znode as Znode

__version__: Final[str]

# Of the whole process, not of a handle.
def set_debug_level(level: int) -> Literal[0]: ...
def deterministic_conn_order(yes: bool) -> Literal[0]: ...
def write_count() -> int: ...

_P = ParamSpec("_P")

class CompletionQueue:
    def fileno(self) -> int: ...
    def bind(self, callback: Callable[_P, object]) -> Callable[_P, None]: ...
    def drain(self, max: int | None = None) -> int: ...
    def close(self) -> None: ...

_binding: Binding

init = _binding.init
connection_fault = _binding.connection_fault
is_refused = _binding.is_refused
close = _binding.close
aclose = _binding.aclose
close_many = _binding.close_many
event_thread = _binding.event_thread
event_thread_busy = _binding.event_thread_busy
state = _binding.state
is_unrecoverable = _binding.is_unrecoverable
client_id = _binding.client_id
recv_timeout = _binding.recv_timeout
set_watcher = _binding.set_watcher
create = _binding.create
create2 = _binding.create2
acreate = _binding.acreate
acreate2 = _binding.acreate2
delete = _binding.delete
adelete = _binding.adelete
set = _binding.set
set2 = _binding.set2
aset = _binding.aset
exists = _binding.exists
aexists = _binding.aexists
get = _binding.get
aget = _binding.aget
get_children = _binding.get_children
get_children2 = _binding.get_children2
aget_children = _binding.aget_children
aget_children2 = _binding.aget_children2
get_acl = _binding.get_acl
aget_acl = _binding.aget_acl
set_acl = _binding.set_acl
aset_acl = _binding.aset_acl
add_auth = _binding.add_auth
sync = _binding.sync
async_ = _binding.async_
get_config = _binding.get_config
aget_config = _binding.aget_config
reconfig = _binding.reconfig
areconfig = _binding.areconfig
get_ephemerals = _binding.get_ephemerals
aget_ephemerals = _binding.aget_ephemerals
get_all_children_number = _binding.get_all_children_number
aget_all_children_number = _binding.aget_all_children_number
whoami = _binding.whoami
awhoami = _binding.awhoami
add_watch = _binding.add_watch
aadd_watch = _binding.aadd_watch
event_zxid = _binding.event_zxid
remove_watches = _binding.remove_watches
aremove_watches = _binding.aremove_watches
multi = _binding.multi
amulti = _binding.amulti
check_operations = _binding.check_operations
write_many = _binding.write_many
awrite_many = _binding.awrite_many
get_many = _binding.get_many
aget_many = _binding.aget_many
get_acl_many = _binding.get_acl_many
aget_acl_many = _binding.aget_acl_many
get_children_many = _binding.get_children_many
aget_children_many = _binding.aget_children_many
watch_many = _binding.watch_many
awatch_many = _binding.awatch_many
read_tree = _binding.read_tree
aread_tree = _binding.aread_tree
