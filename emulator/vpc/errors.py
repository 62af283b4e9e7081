"""How the three generations of the VPC API refuse, each in its own envelope."""

from __future__ import annotations

from emulator.core.problems import ApiError


class VpcErrors:
    """The error form of the v1 API, which EIP v1 shares (VPC API: error codes)."""

    def __init__(self, invalid_code: str = "VPC.0101") -> None:
        self._invalid = invalid_code

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        return v1(400, self._invalid, f"Invalid parameter {field}: {why}")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return v1(401, "VPC.0008", "Invalid token in the header.")

    def wrong_project(self) -> ApiError:
        """The path is of another project."""
        return v1(400, "VPC.0007", "Inconsistent tenant IDs.")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return v1(403, "VPC.2201", f"Policy doesn't allow <{action}> to be performed")

    def internal(self) -> ApiError:
        """The service failed."""
        return v1(500, "VPC.0111", "Internal error.")


class Vpc3Errors:
    """The error form of the v3 API, which EIP v3 shares."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        return v3(400, "VPC.0101", f"Invalid parameter {field}: {why}")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return v3(401, "VPC.0008", "Invalid token in the header.")

    def wrong_project(self) -> ApiError:
        """The path is of another project."""
        return v3(400, "VPC.0007", "Inconsistent tenant IDs.")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return v3(403, "VPC.2201", f"Policy doesn't allow <{action}> to be performed")

    def internal(self) -> ApiError:
        """The service failed."""
        return v3(500, "VPC.0111", "Internal error.")


class NeutronErrors:
    """The error form of the v2.0 API (peerings, routes, IP usage)."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        return neutron(400, "HTTPBadRequest", f"Invalid input for {field}. Reason: {why}.")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return v1(401, "VPC.0008", "Invalid token in the header.")

    def wrong_project(self) -> ApiError:
        """The token is of no project."""
        return neutron(400, "HTTPBadRequest", "Inconsistent tenant IDs.")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return neutron(403, "PolicyNotAuthorized", f"({action}) is disallowed by policy")

    def internal(self) -> ApiError:
        """The service failed."""
        return neutron(500, "HTTPInternalServerError", "Request Failed: internal server error.")


def v1(status: int, code: str, message: str) -> ApiError:
    """A refusal of VPC v1 or EIP v1."""
    return ApiError(status, {"code": code, "message": message})


def v3(status: int, code: str, message: str) -> ApiError:
    """A refusal of VPC v3 or EIP v3."""
    return ApiError(status, {"error_code": code, "error_msg": message})


def neutron(status: int, kind: str, message: str) -> ApiError:
    """A refusal of v2.0."""
    return ApiError(status, {"NeutronError": {"type": kind, "message": message, "detail": ""}})


def vpc_not_found() -> ApiError:
    """404 in v1."""
    return v1(404, "VPC.0003", "VPC does not exist.")


def subnet_not_found() -> ApiError:
    """404 in v1."""
    return v1(404, "VPC.0202", "Query subnet fail.")


def table_not_found(table_id: str) -> ApiError:
    """404 in v1; the code is not documented."""
    return v1(404, "VPC.2801", f"Route table {table_id} could not be found.")
