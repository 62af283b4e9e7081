"""How FunctionGraph refuses (FunctionGraph API: error codes)."""

from __future__ import annotations

from emulator.core.problems import ApiError, Refusal

# Fields of a function that have a code of their own.
FIELDS = {
    "func_name": "FSS.1002",
    "handler": "FSS.1003",
    "package": "FSS.1004",
    "runtime": "FSS.1005",
    "code_type": "FSS.1006",
    "memory_size": "FSS.1007",
    "timeout": "FSS.1008",
    "user_data": "FSS.1009",
    "encrypted_user_data": "FSS.1009",
    "func_code": "FSS.1011",
    "description": "FSS.1019",
    "depend_version_list": "FSS.1024",
    "strategy_config": "FSS.1026",
    "trigger_type_code": "FSS.1101",
}


class FunctionGraphErrors:
    """The error form of FunctionGraph."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        return fss(400, FIELDS.get(field.partition(".")[0], "FSS.0400"), f"Invalid parameter {field}: {why}")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return fss(401, "FSS.0401", "Unauthorized access.")

    def wrong_project(self) -> ApiError:
        """The path is of another project."""
        return fss(403, "FSS.0403", "Forbidden: the project is not the token's.")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return fss(403, "FSS.0403", f"Forbidden: policy doesn't allow {action} to be performed.")

    def internal(self) -> ApiError:
        """The service failed."""
        return fss(500, "FSS.0500", "Internal server error.")


ERRORS = FunctionGraphErrors()


def fss(status: int, code: str, message: str) -> ApiError:
    """A refusal in the envelope of FunctionGraph."""
    return ApiError(status, {"error_code": code, "error_msg": message})


def function_not_found() -> Refusal:
    """404."""
    return Refusal(404, "FSS.1051", "The function does not exist.")


def version_not_found() -> Refusal:
    """404."""
    return Refusal(404, "FSS.1052", "The version does not exist.")


def alias_not_found() -> Refusal:
    """404."""
    return Refusal(404, "FSS.1053", "The alias does not exist.")


def too_large(limit: str) -> Refusal:
    """413; for asynchronous invocations the code is assumed."""
    return Refusal(413, "FSS.0413", f"The request body is too large: the limit is {limit}.")


def not_json() -> Refusal:
    """The event is not JSON."""
    return Refusal(406, "FSS.0406", "Not acceptable: the request body is not JSON.")


def no_runner() -> Refusal:
    """This emulator cannot run functions at all."""
    message = "Internal server error: this emulator was started without a runner of functions."
    return Refusal(500, "FSS.0500", message)
