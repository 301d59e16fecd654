/* Certificates and keys: from files to an OpenSSL context. */
#include "regular.h"
#include "tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <string.h>
#include <sys/stat.h>

#define READ_AHEAD 65536 /* bytes */

/* The first of OpenSSL's errors is the cause, and the others are what became of it. */
static int is_cause(int library, int reason) {
    unsigned long code = ERR_peek_error();
    return ERR_GET_LIB(code) == library && (reason == 0 || ERR_GET_REASON(code) == reason);
}

static BIO *open_file(const char *file) {
    const char *why = NULL;
    FILE *opened = tls_open_regular(file, &why);
    BIO *bio = opened ? BIO_new_fp(opened, BIO_CLOSE) : NULL;
    if (opened && bio == NULL) fclose(opened);
    return bio;
}

/* OpenSSL's word for a file that is no PEM does not help. */
static void explain_file(char *why, const char *what, const char *file) {
    const char *fault = NULL;
    FILE *opened = tls_open_regular(file, &fault);
    if (opened == NULL) {
        tls_reason(why, "%s: %s cannot be read: %s", file, what, fault);
        return;
    }
    fclose(opened);
    if (is_cause(ERR_LIB_PEM, PEM_R_NO_START_LINE) || is_cause(ERR_LIB_X509, X509_R_NO_CERTIFICATE_OR_CRL_FOUND) ||
        is_cause(ERR_LIB_OSSL_DECODER, 0))
        tls_reason(why, "%s: there is no %s in PEM form", file, what);
    else
        tls_reason(why, "%s: %s cannot be used: %s", file, what, ERR_reason_error_string(ERR_peek_error()));
}

static int give_password(char *buffer, int size, int is_writing, void *password) {
    (void)is_writing;
    if (password == NULL) return -1; /* not an empty one */
    size_t length = strlen(password);
    if (length > (size_t)size) return -1;
    memcpy(buffer, password, length);
    return (int)length;
}

static int trust_file(SSL_CTX *context, const char *file) {
    BIO *bio = open_file(file);
    STACK_OF(X509_INFO) *all = bio ? PEM_X509_INFO_read_bio(bio, NULL, give_password, NULL) : NULL;
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    int is_well = all != NULL, count = 0;
    for (int i = 0; is_well && i < sk_X509_INFO_num(all); i++) {
        X509_INFO *each = sk_X509_INFO_value(all, i);
        count += each->x509 || each->crl;
        is_well = (each->x509 == NULL || X509_STORE_add_cert(store, each->x509)) &&
                  (each->crl == NULL || X509_STORE_add_crl(store, each->crl));
    }
    if (is_well && count == 0) ERR_raise(ERR_LIB_X509, X509_R_NO_CERTIFICATE_OR_CRL_FOUND);
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(bio);
    return is_well && count > 0;
}

/* The first certificate in the file is the client's own, and the others lead to an authority. */
static int show_chain(SSL_CTX *context, const char *file) {
    BIO *bio = open_file(file);
    X509 *each = bio ? PEM_read_bio_X509_AUX(bio, NULL, give_password, NULL) : NULL;
    int is_well = each && SSL_CTX_use_certificate(context, each) == 1;
    X509_free(each);
    while (is_well && (each = PEM_read_bio_X509(bio, NULL, give_password, NULL))) {
        is_well = SSL_CTX_add0_chain_cert(context, each) == 1;
        if (!is_well) X509_free(each);
    }
    if (is_well) {
        is_well = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE; /* the end of the file */
        if (is_well) ERR_clear_error();
    }
    BIO_free(bio);
    return is_well;
}

static int use_key(SSL_CTX *context, const char *file, const char *password) {
    BIO *bio = open_file(file);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_password, (void *)password) : NULL;
    int is_well = key && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return is_well;
}

static int load_authorities(SSL_CTX *context, const tls_settings *settings, char *why) {
    if (settings->ca_file && !trust_file(context, settings->ca_file)) {
        explain_file(why, "certificate of an authority", settings->ca_file);
        return 0;
    }
    if (settings->ca_folder && SSL_CTX_load_verify_dir(context, settings->ca_folder) != 1) {
        tls_reason(why, "%s: the folder cannot be used: %s", settings->ca_folder, tls_last_error());
        return 0;
    }
    /* An intermediate authority, or the server's certificate itself, may be what is trusted. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context),
                                X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    return 1;
}

static int load_certificate(SSL_CTX *context, const tls_settings *settings, char *why) {
    if (settings->certificate == NULL) return 1;
    if (!show_chain(context, settings->certificate)) {
        explain_file(why, "certificate", settings->certificate);
        return 0;
    }
    const char *key = settings->key ? settings->key : settings->certificate;
    if (use_key(context, key, settings->key_password)) return 1;
    if (is_cause(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH) || is_cause(ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH))
        tls_reason(why, "%s: the key does not belong to the certificate in %s", key, settings->certificate);
    else if (settings->key_password == NULL &&
             (is_cause(ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ) ||
              ERR_GET_REASON(ERR_peek_error()) == ERR_R_INTERRUPTED_OR_CANCELLED))
        tls_reason(why, "%s: the key is encrypted, and there is no password for it", key);
    else if (settings->key_password && (is_cause(ERR_LIB_PROV, 0) || is_cause(ERR_LIB_EVP, 0) ||
                                        is_cause(ERR_LIB_PEM, PEM_R_BAD_DECRYPT)))
        tls_reason(why, "%s: the password of the key is wrong", key);
    else
        explain_file(why, "private key", key);
    return 0;
}

SSL_CTX *tls_context(const tls_settings *settings, char *why) {
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        tls_reason(why, "there is no TLS: %s", tls_last_error());
        return NULL;
    }
    /* A connection may end without a goodbye: ZooKeeper's frames tell whether that is in the middle of
     * something, and the session can be resumed. */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Several records by one call of recv, where one takes two otherwise. */
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD);
    SSL_CTX_set_verify(context, settings->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       settings->verify ? tls_note_refused : NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (SSL_CTX_set_min_proto_version(context, settings->minimum_version) != 1) {
        tls_reason(why, "there is no TLS of version %#x", (unsigned)settings->minimum_version);
    } else if (load_authorities(context, settings, why) && load_certificate(context, settings, why)) {
        ERR_clear_error();
        return context;
    }
    SSL_CTX_free(context);
    ERR_clear_error();
    return NULL;
}

static unsigned long long mixed(unsigned long long stamp, unsigned long long value) {
    return (stamp ^ value) * 1099511628211ull;
}

unsigned long long tls_stamp(const tls_settings *settings) {
    const char *files[] = {settings->ca_file, settings->ca_folder, settings->certificate, settings->key};
    unsigned long long stamp = 14695981039346656037ull;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct stat status;
        if (files[i] == NULL || stat(files[i], &status) != 0) memset(&status, 0, sizeof status);
        stamp = mixed(stamp, (unsigned long long)status.st_ino);
        stamp = mixed(stamp, (unsigned long long)status.st_size);
        stamp = mixed(stamp, (unsigned long long)status.st_mtim.tv_sec);
        stamp = mixed(stamp, (unsigned long long)status.st_mtim.tv_nsec);
    }
    return stamp;
}
