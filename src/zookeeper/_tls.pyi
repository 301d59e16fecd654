from typing import final

functions: object
openssl_version: str

@final
class Configuration:
    def __init__(
        self,
        ca_file: bytes | None,
        ca_folder: bytes | None,
        certificate: bytes | None,
        key: bytes | None,
        key_password: bytes | None,
        server_hostname: bytes | None,
        check_hostname: bool,
        verify: bool,
        minimum_version: int,
    ) -> None: ...
    def capsule(self) -> object: ...
    def counts(self) -> tuple[int, int]: ...
