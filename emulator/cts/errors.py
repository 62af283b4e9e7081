"""How CTS refuses (CTS API: error codes)."""

from __future__ import annotations

from emulator.core.problems import ApiError


class CtsErrors:
    """The error form of CTS v3."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        return cts(400, "CTS.0003", f"The message body is empty or invalid: {field} {why}")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return cts(401, "CTS.0002", "Authentication failed or you do not have the permissions required.")

    def wrong_project(self) -> ApiError:
        """The path is of another project."""
        return cts(403, "CTS.0002", "Authentication failed or you do not have the permissions required.")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return cts(403, "CTS.0013", f"No permission, Please check roles: {action}.")

    def internal(self) -> ApiError:
        """The service failed."""
        return cts(500, "CTS.0005", "Failed to read data.")


def cts(status: int, code: str, message: str) -> ApiError:
    """A refusal in the envelope of CTS."""
    return ApiError(status, {"error_code": code, "error_msg": message})
