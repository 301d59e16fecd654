# cython: language_level=3
"""TLS by OpenSSL: imported when a session first asks for it, so that plain clients need libc alone."""

from cpython.pycapsule cimport PyCapsule_New

cdef extern from "tls.h":
    ctypedef struct layer_config:
        pass
    ctypedef struct layer_functions:
        void (*release)(layer_config *) nogil
    ctypedef struct tls_settings:
        const char *ca_file
        const char *ca_folder
        const char *certificate
        const char *key
        const char *key_password
        const char *server_hostname
        int check_hostname, verify
        int minimum_version
    const layer_functions tls_functions
    layer_config *tls_configure(const tls_settings *, char *) nogil
    void tls_counts(layer_config *, long *, long *) nogil
    int LAYER_WHY
    const char *LAYER_CAPSULE
    const char *LAYER_CONFIGURATION

cdef extern from "openssl/crypto.h":
    const char *OpenSSL_version(int)
    int OPENSSL_VERSION

cdef enum:
    WHY_BYTES = 512

functions = PyCapsule_New(<void *>&tls_functions, LAYER_CAPSULE, NULL)
openssl_version = OpenSSL_version(OPENSSL_VERSION).decode("ascii")


cdef class Configuration:
    """The settings that connections are made with, and the files that were read.

    Arguments are bytes without null, or None; `minimum_version` is the protocol's number. Raises
    ValueError that names the file which cannot be used.
    """

    cdef layer_config *c

    def __cinit__(
        self, bytes ca_file, bytes ca_folder, bytes certificate, bytes key, bytes key_password,
        bytes server_hostname, bint check_hostname, bint verify, int minimum_version,
    ):
        cdef tls_settings settings
        cdef char why[WHY_BYTES]
        assert WHY_BYTES == LAYER_WHY
        settings.ca_file = text_or_null(ca_file)
        settings.ca_folder = text_or_null(ca_folder)
        settings.certificate = text_or_null(certificate)
        settings.key = text_or_null(key)
        settings.key_password = text_or_null(key_password)
        settings.server_hostname = text_or_null(server_hostname)
        settings.check_hostname = check_hostname
        settings.verify = verify
        settings.minimum_version = minimum_version
        why[0] = 0
        with nogil:
            self.c = tls_configure(&settings, why)
        if self.c is NULL:
            raise ValueError((<bytes>why).decode("utf-8", "replace"))

    def __dealloc__(self):
        if self.c is not NULL:
            tls_functions.release(self.c)

    def capsule(self):
        """Return the configuration for the core, which retains it.

        It is good while this object lives.
        """
        return PyCapsule_New(self.c, LAYER_CONFIGURATION, NULL)

    def counts(self):
        """Count handshakes, and those of them that resumed an earlier session."""
        cdef long handshakes = 0, resumed = 0
        with nogil:
            tls_counts(self.c, &handshakes, &resumed)
        return handshakes, resumed


cdef const char *text_or_null(bytes text) except? NULL:
    if text is None:
        return NULL
    return text
