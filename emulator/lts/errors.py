"""How LTS refuses (LTS API: error codes)."""

from __future__ import annotations

from emulator.core.problems import ApiError


class LtsErrors:
    """The error form of LTS v2."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        return lts(400, "LTS.0009", f"Failed to validate the request body: {field} {why}")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return lts(401, "LTS.0003", "Invalid token")

    def wrong_project(self) -> ApiError:
        """The path is of another project."""
        return lts(403, "LTS.0011", "Invalid projectId")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return lts(403, "LTS.0003", f"No permission: {action}")

    def internal(self) -> ApiError:
        """The service failed."""
        return lts(500, "LTS.0010", "The system encountered an internal error")


def lts(status: int, code: str, message: str) -> ApiError:
    """A refusal in the envelope of LTS."""
    return ApiError(status, {"error_code": code, "error_msg": message})


def group_not_found() -> ApiError:
    """A missing log group is a 400 here."""
    return lts(400, "LTS.0201", "The log group is not existed")


def stream_not_found() -> ApiError:
    """A missing log stream is a 400 here, under the code for every trouble with it."""
    return lts(400, "LTS.0208", "The log stream does not exist")
