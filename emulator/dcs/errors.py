"""How DCS refuses (DCS API: error codes)."""

from __future__ import annotations

from emulator.core.problems import ApiError

# What a passing status makes changes answer; RUNNING while pending means that it is being configured.
BUSY = {
    "CREATING": "DCS.4118",
    "DELETING": "DCS.4017",
    "RESTARTING": "DCS.4111",
    "EXTENDING": "DCS.4113",
    "RESTORING": "DCS.4097",
    "RUNNING": "DCS.4114",
}
BUSY_MESSAGES = {
    "DCS.4017": "This DCS instance job task is still running.",
    "DCS.4096": "the instance is backuping.",
    "DCS.4097": "the instance is restoring.",
    "DCS.4111": "the instance is restarting.",
    "DCS.4113": "the instance is extending.",
    "DCS.4114": "the instance is configuring.",
    "DCS.4115": "the instance is changing the password.",
    "DCS.4116": "the instance is upgrading.",
    "DCS.4117": "the instance is rollbacking the version.",
    "DCS.4118": "the instance is creating.",
    "DCS.4120": "the instance is Freezing.",
}


class DcsErrors:
    """The error form of DCS v2."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        if field == "body" and "JSON" in why:
            message = "The message body contains invalid characters or is not in JSON format."
            return dcs(400, "DCS.4005", message)
        return dcs(400, "DCS.4800", f"Invalid {field} in the request: {why}")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return dcs(401, "DCS.1001", "Invalid token.")

    def wrong_project(self) -> ApiError:
        """The path is of another project."""
        return dcs(401, "DCS.1004", "Project ID does not match the token.")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return dcs(403, "DCS.2003", f"Policy doesn't allow {action} to be performed.")

    def internal(self) -> ApiError:
        """The service failed."""
        return dcs(500, "DCS.5000", "Internal service error.")


def dcs(status: int, code: str, message: str) -> ApiError:
    """A refusal in the envelope of DCS."""
    return ApiError(status, {"error_code": code, "error_msg": message, "error_ext_msg": None})


def instance_not_found() -> ApiError:
    """404."""
    return dcs(404, "DCS.3022", "This DCS instance does not exist.")


def bad_instance_id() -> ApiError:
    """An id in a wrong form is a 400 here."""
    return dcs(400, "DCS.4061", "Invalid instance ID format.")


def unsupported_type() -> ApiError:
    """What this version or cache mode does not have."""
    return dcs(400, "DCS.4007", "Instance type is not supported.")


def busy(code: str) -> ApiError:
    """Another job is running: 400 here, not 409."""
    return dcs(400, code, BUSY_MESSAGES.get(code, "The instance is busy."))
