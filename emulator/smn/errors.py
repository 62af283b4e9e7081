"""How SMN refuses (SMN API: error codes)."""

from __future__ import annotations

from emulator.core.problems import ApiError, Refusal

# The code that each parameter has for itself; the others share one.
CODES = {
    "name": (400, "SMN.0002"),
    "display_name": (400, "SMN.0003"),
    "subject": (403, "SMN.0008"),
    "message": (403, "SMN.0009"),
    "message_structure": (400, "SMN.0021"),
    "protocol": (400, "SMN.0011"),
    "endpoint": (400, "SMN.0012"),
    "offset": (400, "SMN.0015"),
    "limit": (400, "SMN.0015"),
    "remark": (400, "SMN.0017"),
    "subscriptions": (400, "SMN.0043"),
}
OTHER = (400, "SMN.0024")


class SmnErrors:
    """The error form of SMN v2; the framework adds the request id."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        status, code = CODES.get(field.split(".", 1)[0], OTHER)
        return smn(status, code, f"Parameter: {field} is invalid. {why}")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return smn(401, "SMN.0001", "No permission to request resources.")

    def wrong_project(self) -> ApiError:
        """The path is of another project."""
        return smn(403, "SMN.0001", "No permission to request resources.")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return smn(403, "SMN.00308", f"Policy doesn't allow {action} to be performed.")

    def internal(self) -> ApiError:
        """The service failed."""
        return smn(500, "SMN.0018", "Service internal error.")


def smn(status: int, code: str, message: str) -> ApiError:
    """A refusal in the envelope of SMN."""
    return ApiError(status, {"code": code, "message": message})


def topic_not_found() -> Refusal:
    """404."""
    return Refusal(404, "SMN.0006", "Topic not found.")


def subscription_not_found() -> Refusal:
    """404."""
    return Refusal(404, "SMN.0013", "Subscription resource not found.")


def bad_token() -> ApiError:
    """A link that confirms nothing, or is older than two days."""
    return smn(403, "SMN.0022", "Parameter: token is invalid.")
