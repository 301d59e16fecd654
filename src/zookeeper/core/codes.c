/* Error codes, sorted. */
#include "client.h"
#include "codes.h"

int code_is_fatal(int code) {
    switch (code) {
    case ZOK:
    case ZNONODE:
    case ZNOAUTH:
        return 0;
    default:
        return 1;
    }
}

int code_is_of_the_session(int code) {
    switch (code) {
    case ZCONNECTIONLOSS:
    case ZOPERATIONTIMEOUT:
    case ZINVALIDSTATE:
    case ZCLOSING:
    case ZSESSIONEXPIRED:
    case ZSESSIONMOVED:
    case ZAUTHFAILED:
    case ZSESSIONCLOSEDREQUIRESASLAUTH:
    case ZSSLCONNECTIONERROR:
    case ZNOTREADONLY:
        return 1;
    default:
        return 0;
    }
}

int code_is_of_a_client(int code) {
    switch (code) {
    case ZCONNECTIONLOSS:
    case ZOPERATIONTIMEOUT:
    case ZINVALIDSTATE:
    case ZCLOSING:
    case ZNOTHING:
        return 1;
    default:
        return 0;
    }
}
