"""What IAM serves."""

from __future__ import annotations

from emulator.core.routing import Handler, Route, Service
from emulator.iam import responses_agencies as a
from emulator.iam import responses_identity as i
from emulator.iam import responses_keys as k
from emulator.iam import responses_roles as r
from emulator.iam.errors import IamErrors, PolicyErrors
from emulator.iam.responses import (
    check_token,
    create_token,
    delete_token,
    list_own_projects,
    list_projects,
    list_versions,
    show_catalog,
    show_token,
    show_version,
)

IAM = Service("iam", IamErrors())
POLICIES = Service("iam", PolicyErrors())
KEY = "/v3.0/OS-CREDENTIAL/credentials"
AGENCY = "/v3.0/OS-AGENCY/agencies"
ROLE = "/v3.0/OS-ROLE/roles"
# The project is a thing that the call is about, not the one that the caller's token must be for.
ON_PROJECT = "/v3.0/OS-AGENCY/projects/{target_id}/agencies/{agency_id}/roles"
ON_DOMAIN = "/v3.0/OS-AGENCY/domains/{domain_id}/agencies/{agency_id}/roles"
EVERYWHERE = "/v3.0/OS-INHERIT/domains/{domain_id}/agencies/{agency_id}/roles"


def _grants(path: str, handlers: tuple[Handler, Handler, Handler], whom: str) -> tuple[Route, ...]:
    grant, revoke, check = handlers
    return (
        Route(IAM, "PUT", path, grant, f"iam:permissions:grantRoleTo{whom}"),
        Route(IAM, "DELETE", path, revoke, f"iam:permissions:revokeRoleFrom{whom}"),
        Route(IAM, "HEAD", path, check, f"iam:permissions:checkRoleFor{whom}"),
    )


ROUTES = (
    Route(IAM, "GET", "/", list_versions, None),
    Route(IAM, "GET", "/v3", show_version, None),
    Route(IAM, "GET", "/v3/", show_version, None),
    Route(IAM, "POST", "/v3/auth/tokens", create_token, None),
    Route(IAM, "GET", "/v3/auth/tokens", show_token, None),
    Route(IAM, "HEAD", "/v3/auth/tokens", check_token, None),
    Route(IAM, "DELETE", "/v3/auth/tokens", delete_token, None),
    Route(IAM, "GET", "/v3/auth/catalog", show_catalog, "iam:catalog:list"),
    Route(IAM, "GET", "/v3/auth/projects", list_own_projects, "iam:projects:list"),
    Route(IAM, "GET", "/v3/projects", list_projects, "iam:projects:list"),
    Route(IAM, "GET", "/v3/projects/{target_id}", i.show_project, "iam:projects:list"),
    Route(IAM, "GET", "/v3/users", i.list_users, "iam:users:listUsers"),
    Route(IAM, "GET", "/v3/users/{user_id}", i.show_user, "iam:users:getUser"),
    Route(IAM, "GET", "/v3/auth/domains", i.list_own_domains, "iam:projects:list"),
    Route(IAM, "GET", "/v3/services", i.list_services, "iam:catalog:list"),
    Route(IAM, "GET", "/v3/services/{service_id}", i.show_service, "iam:catalog:list"),
    Route(IAM, "GET", "/v3/endpoints/{endpoint_id}", i.show_endpoint, "iam:catalog:list"),
    Route(IAM, "GET", "/v3/endpoints", i.list_endpoints, "iam:catalog:list"),
    Route(IAM, "POST", KEY, k.create_key, "iam:credentials:createCredential"),
    Route(IAM, "GET", KEY, k.list_keys, "iam:credentials:listCredentials"),
    Route(IAM, "GET", KEY + "/{access_key}", k.show_key, "iam:credentials:getCredential"),
    Route(IAM, "PUT", KEY + "/{access_key}", k.update_key, "iam:credentials:updateCredential"),
    Route(IAM, "DELETE", KEY + "/{access_key}", k.delete_key, "iam:credentials:deleteCredential"),
    Route(IAM, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", k.create_temporary, None),
    Route(IAM, "POST", AGENCY, a.create_agency, "iam:agencies:createAgency"),
    Route(IAM, "GET", AGENCY, a.list_agencies, "iam:agencies:listAgencies"),
    Route(IAM, "GET", AGENCY + "/{agency_id}", a.show_agency, "iam:agencies:getAgency"),
    Route(IAM, "PUT", AGENCY + "/{agency_id}", a.update_agency, "iam:agencies:updateAgency"),
    Route(IAM, "DELETE", AGENCY + "/{agency_id}", a.delete_agency, "iam:agencies:deleteAgency"),
    *_grants(
        ON_PROJECT + "/{role_id}", (a.grant_on_project, a.revoke_on_project, a.check_on_project), "AgencyOnProject"
    ),
    Route(IAM, "GET", ON_PROJECT, a.list_on_project, "iam:permissions:listRolesForAgencyOnProject"),
    *_grants(ON_DOMAIN + "/{role_id}", (a.grant_on_domain, a.revoke_on_domain, a.check_on_domain), "AgencyOnDomain"),
    Route(IAM, "GET", ON_DOMAIN, a.list_on_domain, "iam:permissions:listRolesForAgencyOnDomain"),
    *_grants(
        EVERYWHERE + "/{role_id}/inherited_to_projects",
        (a.grant_everywhere, a.revoke_everywhere, a.check_everywhere),
        "Agency",
    ),
    Route(IAM, "GET", EVERYWHERE + "/inherited_to_projects", a.list_everywhere, "iam:permissions:listRolesForAgency"),
    Route(POLICIES, "POST", ROLE, r.create_policy, "iam:roles:createRole"),
    Route(POLICIES, "GET", ROLE, r.list_policies, "iam:roles:listRoles"),
    Route(POLICIES, "GET", ROLE + "/{role_id}", r.show_policy, "iam:roles:getRole"),
    Route(POLICIES, "PATCH", ROLE + "/{role_id}", r.update_policy, "iam:roles:updateRole"),
    Route(POLICIES, "DELETE", ROLE + "/{role_id}", r.delete_policy, "iam:roles:deleteRole"),
    Route(IAM, "GET", "/v3/roles", r.list_roles, "iam:roles:listRoles"),
    Route(IAM, "GET", "/v3/roles/{role_id}", r.show_role, "iam:roles:getRole"),
)
