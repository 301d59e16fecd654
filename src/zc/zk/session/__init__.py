"""The session with the servers, kept up over losses and expiries."""
