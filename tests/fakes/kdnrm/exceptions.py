"""What a plugin raises."""

from typing import Any


class SaasException(Exception):
    """Told to the operator in the vault; `codes` is what the vault translates."""

    def __init__(
        self,
        msg: str,
        other_msg: str | None = None,
        *,
        skip_post_cleanup: bool = False,
        skip_msg_prepend: bool = False,
        notes: str | None = None,
        code: str | None = None,
        values: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(msg)
        self.msg = msg
        self.other_msg = other_msg
        self.skip_post_cleanup = skip_post_cleanup
        self.skip_msg_prepend = skip_msg_prepend
        self.notes = notes
        self.codes = [{"msg": msg, "code": code or msg, "values": values or {}}]
