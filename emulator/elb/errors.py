"""How ELB v3 refuses (ELB API: error codes)."""

from __future__ import annotations

from emulator.core.problems import ApiError


class ElbErrors:
    """The error form of ELB."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A field or parameter that is unknown, missing or of a wrong value."""
        return refused(400, "ELB.8902", f"Invalid input for '{field}'. {why}")

    def unauthorized(self) -> ApiError:
        """No valid token."""
        return refused(401, "ELB.1103", "Invalid token.")

    def wrong_project(self) -> ApiError:
        """The path is of another project."""
        return refused(403, "ELB.8903", "The project in the URL is not the project of the token.")

    def forbidden(self, action: str) -> ApiError:
        """A missing permission."""
        return refused(403, "ELB.8903", f"Policy does not allow {action} to be performed.")

    def internal(self) -> ApiError:
        """The service failed."""
        return refused(500, "ELB.8906", "Internal server error.")


def refused(status: int, code: str, message: str) -> ApiError:
    """A refusal in the envelope of ELB."""
    return ApiError(status, {"error_code": code, "error_msg": message})


def invalid(field: str, why: str) -> ApiError:
    """400 for a field that is well-formed, but impossible here."""
    return ElbErrors().invalid(field, why)


def not_found(kind: str, resource_id: str) -> ApiError:
    """404."""
    return refused(404, "ELB.8904", f"{kind} {resource_id} could not be found.")


def conflict(message: str) -> ApiError:
    """409: a duplicate, something in use, or a wrong state."""
    return refused(409, "ELB.8907", message)


def quota_exceeded(key: str) -> ApiError:
    """409."""
    return refused(409, "ELB.8905", f"Quota exceeded for resources: ['{key}'].")


def too_few_addresses(subnet_id: str) -> ApiError:
    """400: a load balancer needs addresses of its own in each backend subnet."""
    return refused(400, "ELB.8934", f"Not enough free IP addresses in subnet {subnet_id}.")


def ip_member_needs_other_protocol(protocol: str) -> ApiError:
    """400."""
    return refused(400, "ELB.8938", f"IP targets are not supported by pools of protocol {protocol}.")


def ip_target_disabled(load_balancer_id: str) -> ApiError:
    """400."""
    return refused(400, "ELB.8939", f"ip_target_enable of loadbalancer {load_balancer_id} is not true.")


def flavor_fixed(field: str) -> ApiError:
    """400."""
    return refused(400, "ELB.8959", f"{field} cannot be set or removed after creation.")
