"""How IAM refuses: Keystone's envelope."""

from __future__ import annotations

from http import HTTPStatus

from emulator.core.problems import ApiError


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
