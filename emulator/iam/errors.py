"""How IAM refuses: Keystone's envelope."""

from __future__ import annotations

import re
from http import HTTPStatus

from emulator.core.problems import ApiError

# What a policy's field is refused with (IAM API: error codes).
_POLICY_CODES = (
    (r"role\.type", "IAM.1009"),
    (r"role\.policy\.Version", "IAM.1024"),
    (r"role\.policy\.Statement", "IAM.1028"),
    (r"role\.policy\.Statement\.\d+\.Effect", "IAM.1029"),
    (r"role\.policy\.Statement\.\d+\.Action", "IAM.1033"),
    (r"role\.policy\.Statement\.\d+\.Action\.\d+", "IAM.1035"),
    (r"role\.policy\.Statement\.\d+\.Resource.*", "IAM.1038"),
    (r"page|per_page", "IAM.0007"),
)


class IamErrors:
    """The error form of IAM v3 (IAM API: error codes)."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        return refused(400, f"Invalid input for {field}: {why}")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return refused(401, "The request you have made requires authentication.")

    def wrong_project(self) -> ApiError:
        """The path is of another project."""
        return refused(403, "You are not authorized to perform the requested action.")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return forbidden(action)

    def internal(self) -> ApiError:
        """The service failed."""
        return refused(500, "An unexpected error prevented the server from fulfilling your request.")


class PolicyErrors(IamErrors):
    """The error form of custom policies, where a wrong field has a code."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A wrong field."""
        code = next((code for pattern, code in _POLICY_CODES if re.fullmatch(pattern, field)), "IAM.0011")
        return policy_refused(code, f"{field}: {why}")


def policy_refused(code: str, message: str, status: int = 400) -> ApiError:
    """A refusal with a code of IAM's own."""
    return ApiError(status, {"error_code": code, "error_msg": message})


def refused(status: int, message: str) -> ApiError:
    """A refusal in Keystone's envelope."""
    title = HTTPStatus(status).phrase
    return ApiError(status, {"error": {"code": status, "message": message, "title": title}})


def wrong_credentials() -> ApiError:
    """Unknown user or wrong password: the answer does not say which."""
    return refused(401, "The username or password is wrong.")


def no_such_scope(what: str) -> ApiError:
    """A project or domain that the user cannot see."""
    return refused(401, f"Could not find {what}.")


def forbidden(action: str) -> ApiError:
    """Something that the caller, or nobody, may do."""
    return refused(403, f"You are not authorized to perform the requested action: {action}")


def not_found(kind: str, item_id: str) -> ApiError:
    """No such thing."""
    return refused(404, f"Could not find {kind}: {item_id}")
