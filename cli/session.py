"""The transport outside the cloud: credentials as OpenStack's tools read them, one token, the catalog's hosts."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from itertools import chain
from urllib.parse import urlsplit

from keystoneauth1 import exceptions as refusals
from keystoneauth1.access.access import AccessInfo
from keystoneauth1.discover import EndpointData
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.identity.generic.base import BaseGenericPlugin
from keystoneauth1.identity.v3 import Auth
from keystoneauth1.session import Session
from openstack.config import OpenStackConfig
from openstack.config.cloud_region import CloudRegion
from openstack.exceptions import ConfigException
from openstack.warnings import ConfigurationWarning

from shared.errors import AccessError, ErrorCode, PermanentError, TemporaryError
from shared.otc.transport import CONNECT_TIMEOUT, READ_TIMEOUT, Answer, Call, Service, lost

# The catalog types of a service, best first; only the host of each counts, our paths start at its root.
_CATALOG_TYPES = {
    Service.ELB: ("elbv3", "elb"),
    Service.VPC: ("vpc", "network"),
    Service.DCS: ("dcs", "dcsv1"),
    Service.IAM: ("identity",),
    Service.FUNCTIONGRAPH: ("functiongraph", "fgs"),
    Service.SMN: ("smn", "smnv2"),
    Service.LTS: ("lts",),
}
# Not every catalog lists these; their hosts are named like their neighbours'.
_NEIGHBOURS = frozenset({Service.FUNCTIONGRAPH, Service.SMN, Service.LTS})
_WHO = (("username", "user_id"), ("password",))
# What each kind of credentials must hold; the plugins themselves find out too late.
_NEEDED = {"password": _WHO, "v3password": _WHO, "token": (("token",),), "v3token": (("token",),)}
_NO_FILE = "there is no clouds.yaml, or none that can be read"
_HOW_TO_SIGN_IN = (
    "Name a cloud of clouds.yaml with --os-cloud, or set OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, "
    "OS_USER_DOMAIN_NAME, OS_PROJECT_NAME and OS_REGION_NAME."
)


class SessionTransport:
    """A keystoneauth session, which renews its tokens by itself.

    `account` signs in to the account instead of the project: what belongs to the account, such as agencies, may be
    changed with its token only.
    """

    def __init__(
        self,
        session: Session,
        *,
        project_id: str,
        region: str,
        endpoints: Mapping[Service, str],
        account: BaseIdentityPlugin | None = None,
    ) -> None:
        self._session, self.endpoints, self._account = session, endpoints, account
        self.project_id, self.region = project_id, region

    def send(self, call: Call) -> Answer:
        """Send one call, once."""
        try:
            answer = self._session.request(
                self.endpoints[call.service] + call.path,
                call.method,
                params=list(call.query),
                data=None if call.body is None else json.dumps(call.body),
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                auth=self._account if call.service is Service.IAM else None,
                timeout=(CONNECT_TIMEOUT, call.timeout or self._session.timeout),
                raise_exc=False,
                redirect=False,
                connect_retries=0,
                status_code_retries=0,
            )
        except refusals.ConnectionError:
            raise lost(call) from None
        except refusals.ClientException as error:
            raise _not_signed_in(error) from None
        return Answer(answer.status_code, answer.content, dict(answer.headers))


def connect(os_cloud: str | None = None, region: str | None = None) -> SessionTransport:
    """Sign in to a cloud of clouds.yaml, or with the `OS_*` variables.

    Raises:
        PermanentError: `InvalidRequest` where credentials are missing or wrong in form, `Unauthorized` where
            they are refused, `EndpointUnreachable`.
        TemporaryError: IAM is throttling or failing.
    """
    try:
        cloud = _configured(os_cloud, region)
        session = cloud.get_session()
        session.timeout = session.timeout or READ_TIMEOUT
        access = _signed_in(session)
    except ConfigException as error:
        raise _incomplete(str(error), "os_cloud") from None
    except refusals.ClientException as error:
        raise _not_signed_in(error) from None
    if not access.project_id:
        raise _incomplete("The credentials name no project, and everything here belongs to one.", "project_name")
    hosts = {service: _host(service, cloud, access) for service in Service}
    return SessionTransport(
        session,
        project_id=access.project_id,
        region=_region(cloud, access),
        endpoints=hosts,
        account=_account(session, access),
    )


def _configured(os_cloud: str | None, region: str | None) -> CloudRegion:
    with warnings.catch_warnings():
        # The configuration warns of its own InfluxDB support, which nobody here asked for.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        warnings.simplefilter("error", ConfigurationWarning)
        config, kind = _read(os_cloud, region)
        if kind not in _NEEDED:
            raise _incomplete(f"auth_type {kind} cannot be used; password and token can.", "auth_type")
        try:
            cloud = config.get_one(os_cloud, region_name=region)
        except TypeError as error:
            # The plugins' constructors are the only ones to know their fields.
            field = str(error).rpartition("argument ")[2]
            raise _incomplete(f"Credentials of auth_type {kind} have no field {field}.", field.strip("'")) from None
    auth = cloud.config["auth"]
    missing = [" or ".join(names) for names in _NEEDED[kind] if not any(auth.get(name) for name in names)]
    if missing:
        raise _incomplete(f"The credentials have no {' and no '.join(missing)}.", missing[0])
    return cloud


def _read(os_cloud: str | None, region: str | None) -> tuple[OpenStackConfig, str]:
    config = None
    try:
        config = OpenStackConfig(app_name="dcs-access")
        _check_named(config, os_cloud or os.environ.get("OS_CLOUD"))
        return config, config.get_one(os_cloud, region_name=region, validate=False).config["auth_type"]
    except ConfigurationWarning as warning:
        raise _incomplete(f"{warning}.", "profile") from None
    except ConfigException as error:
        # A file with a fault in its YAML is passed over without a word.
        hint = "" if config is None or config.config_filename else f" Note that {_NO_FILE}."
        raise _incomplete(f"{error}{hint}", "os_cloud") from None
    except (AttributeError, LookupError, TypeError, ValueError):
        # The configuration takes the structure of its files for granted.
        raise _incomplete("The structure of clouds.yaml is not that of a list of clouds.", "clouds.yaml") from None


def _check_named(config: OpenStackConfig, name: str | None) -> None:
    """Without this, the configuration makes up a cloud of a name that only a variable holds."""
    known = sorted(config.get_cloud_names())
    if name and name not in known:
        there = f"{config.config_filename} has {', '.join(known)}" if config.config_filename else _NO_FILE
        raise _incomplete(f"There is no cloud {name}: {there}.", "os_cloud")


def _signed_in(session: Session) -> AccessInfo:
    plugin = session.auth
    if isinstance(plugin, BaseGenericPlugin):
        # The generic plugin would first ask which versions of IAM there are; there is only v3.
        url = plugin.auth_url.rstrip("/")
        plugin = plugin.create_plugin(session, (3,), url if url.endswith("/v3") else f"{url}/v3")
        session.auth = plugin
    if not isinstance(plugin, BaseIdentityPlugin):
        raise _incomplete("The credentials are not for IAM.", "auth_type")
    return plugin.get_access(session)


def _account(session: Session, access: AccessInfo) -> BaseIdentityPlugin | None:
    """The same credentials for the account of the project; it signs in when it is first used."""
    plugin = session.auth
    if not isinstance(plugin, Auth):
        return None
    return Auth(plugin.auth_url, plugin.auth_methods, domain_id=access.project_domain_id, include_catalog=False)


def _host(service: Service, cloud: CloudRegion, access: AccessInfo) -> str:
    kinds = _CATALOG_TYPES[service]
    named = (cloud.get_endpoint(kind) for kind in kinds)
    listed = (found.url for kind in kinds for found in _endpoints(cloud, access, kind))
    parts = urlsplit(next(filter(None, chain(named, listed)), ""))
    if not parts.netloc and service in _NEIGHBOURS:
        return _host(Service.VPC, cloud, access).replace("://vpc.", f"://{service}.")
    if not parts.netloc:
        kind = kinds[0]
        raise PermanentError(
            ErrorCode.ENDPOINT_UNREACHABLE,
            f"The catalog of project {access.project_id} has no {kind} endpoint"
            + (f" in region {cloud.region_name}." if cloud.region_name else "."),
            field="region_name",
            advice=f"Check the region, or set {kind}_endpoint_override in clouds.yaml.",
        )
    return f"{parts.scheme}://{parts.netloc}"


def _endpoints(cloud: CloudRegion, access: AccessInfo, kind: str) -> list[EndpointData]:
    return access.service_catalog.get_endpoint_data_list(
        service_type=kind, interface=cloud.get_interface(kind), region_name=cloud.region_name or None
    )


def _region(cloud: CloudRegion, access: AccessInfo) -> str:
    found = _endpoints(cloud, access, _CATALOG_TYPES[Service.ELB][0])
    region = cloud.region_name or (found[0].region_name if found else None)
    if not region:
        raise _incomplete("Neither the credentials nor the catalog name a region.", "region_name")
    return region


def _incomplete(why: str, field: str) -> PermanentError:
    return PermanentError(ErrorCode.INVALID_REQUEST, why, field=field, advice=_HOW_TO_SIGN_IN)


def _not_signed_in(error: refusals.ClientException) -> AccessError:
    match error:
        case refusals.Unauthorized() | refusals.Forbidden():
            return PermanentError(
                ErrorCode.UNAUTHORIZED,
                f"IAM refused the credentials: {error.message}",
                field="auth",
                advice="Check user, password, domain and project; a token may have expired.",
            )
        case refusals.HttpError(http_status=429):
            return TemporaryError(ErrorCode.THROTTLED, "IAM is throttling.", advice="Try again later.")
        case refusals.HttpServerError():
            return TemporaryError(ErrorCode.SERVER_ERROR, f"IAM failed: {error}", advice="Try again later.")
        case refusals.MissingRequiredOptions():
            missing = [one.dest for one in error.options]
            return _incomplete(f"The credentials have no {' and no '.join(missing)}.", missing[0])
        case refusals.BadRequest() | refusals.AuthPluginException():
            return _incomplete(str(error), "auth")
        case _:
            # What follows is the HTTP library's own account of its retries.
            reason = str(error).partition(": HTTP")[0]
            return PermanentError(
                ErrorCode.ENDPOINT_UNREACHABLE,
                f"There is no IAM at the address given: {reason}",
                field="auth_url",
                advice="Check auth_url (OS_AUTH_URL), the network, the proxy and the certificate.",
            )
