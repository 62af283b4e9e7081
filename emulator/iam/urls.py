"""What IAM serves."""

from __future__ import annotations

from emulator.core.routing import Route, Service
from emulator.iam.errors import IamErrors
from emulator.iam.responses import (
    create_token,
    list_own_projects,
    list_projects,
    list_versions,
    show_catalog,
    show_version,
)

IAM = Service("iam", IamErrors())

ROUTES = (
    Route(IAM, "GET", "/", list_versions, None),
    Route(IAM, "GET", "/v3", show_version, None),
    Route(IAM, "GET", "/v3/", show_version, None),
    Route(IAM, "POST", "/v3/auth/tokens", create_token, None),
    Route(IAM, "GET", "/v3/auth/catalog", show_catalog, "iam:catalog:list"),
    Route(IAM, "GET", "/v3/auth/projects", list_own_projects, "iam:projects:list"),
    Route(IAM, "GET", "/v3/projects", list_projects, "iam:projects:list"),
)
