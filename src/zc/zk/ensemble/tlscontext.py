"""Python's own TLS for connections that are no sessions, by the settings of sessions."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zookeeper.tls import TLS

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(tls: TLS) -> ssl.SSLContext:
    """Make what trusts the same servers as a session does, and proves itself in the same way.

    Raises OSError for a file that cannot be read, which is an ssl.SSLError for one that is none.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = _VERSIONS[tls.minimum_version]
    if not tls.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    else:
        made.check_hostname = tls.check_hostname
        if tls.ca is None:
            made.set_default_verify_paths()
        elif os.path.isdir(tls.ca):
            made.load_verify_locations(capath=tls.ca)
        else:
            made.load_verify_locations(cafile=tls.ca)
    if tls.certificate is not None:
        # Without a function OpenSSL would ask a terminal for the password.
        made.load_cert_chain(tls.certificate, tls.key, lambda: tls.key_password or b"")
    return made
