"""How EIP refuses: v1 in the envelope of VPC v1 (EIP API: error codes)."""

from __future__ import annotations

from emulator.core.problems import ApiError
from emulator.vpc.errors import VpcErrors, v1


class EipRefusal(Exception):  # noqa: N818  # a reason, which each API says in its own envelope
    """Why an EIP cannot be made or changed, in the words of EIP v1."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def as_v1(self) -> ApiError:
        """The refusal in the envelope of EIP v1."""
        return v1(self.status, self.code, self.message)


ERRORS = VpcErrors(invalid_code="VPC.0501")


def eip_not_found() -> ApiError:
    """404."""
    return v1(404, "VPC.0504", "Floating IP could not be found.")


def bandwidth_not_found() -> ApiError:
    """404."""
    return v1(404, "VPC.0306", "EIP bandwidth with the ID not found.")
