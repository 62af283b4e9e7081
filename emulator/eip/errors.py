"""How EIP refuses: v1 in the envelope of VPC v1 (EIP API: error codes)."""

from __future__ import annotations

from emulator.core.problems import ApiError, Refusal
from emulator.vpc.errors import VpcErrors, v1


class EipRefusal(Refusal):
    """Why an EIP cannot be made or changed, in the words of EIP v1."""


ERRORS = VpcErrors(invalid_code="VPC.0501")


def eip_not_found() -> ApiError:
    """404."""
    return v1(404, "VPC.0504", "Floating IP could not be found.")


def bandwidth_not_found() -> ApiError:
    """404."""
    return v1(404, "VPC.0306", "EIP bandwidth with the ID not found.")
