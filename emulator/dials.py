"""What nobody can look up about the cloud, or what differs by its mood: one dial each, set at any time."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from emulator.core.resources import Lag, Strict


class Throttle(Strict):
    """When a service answers 429: above `rate` calls a second, or at every nth; `retry_after` in seconds."""

    rate: float | None = Field(default=None, gt=0)
    every: int | None = Field(default=None, ge=1)
    retry_after: float | None = None


class Events(Strict):
    """How events arrive: every nth twice, every nth late, in which order if several wait."""

    duplicate_every: int | None = Field(default=None, ge=1)
    late_every: int | None = Field(default=None, ge=1)
    late_seconds: float = Field(default=0.0, ge=0)
    order: Literal["oldest", "newest"] = "oldest"


class FunctionTrouble(Strict):
    """Every nth run of a function is refused (429), or has its instance killed before the answer is out.

    It is killed `killed_after` seconds from its start, by the machine's clock, or at its end without them.
    """

    throttled_every: int | None = Field(default=None, ge=1)
    killed_every: int | None = Field(default=None, ge=1)
    killed_after: float | None = Field(default=None, ge=0)


class Dials(Strict):
    """The dials; the defaults are what is documented, or else what is most likely."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    # How long a change takes to show.
    load_balancer_create: Lag = Lag()
    load_balancer_update: Lag = Lag()
    load_balancer_delete: Lag = Lag()
    eip_create: Lag = Lag()
    dcs_create: Lag = Lag()
    dcs_modify: Lag = Lag()
    dcs_restart: Lag = Lag()
    dcs_delete: Lag = Lag()
    whitelist: Lag = Lag()
    routes: Lag = Lag()
    # A fresh resource is missed by this many reads of it, by service (elb, vpc, eip, dcs, smn, functiongraph, ...).
    hidden_reads: dict[str, int] = {}
    throttle: dict[str, Throttle] = {}
    # Networking that the documents leave open.
    same_vpc_targets: Literal["reachable", "not_routable", "needs_peering"] = "reachable"
    duplicate_peering_status: int = 409
    self_peering_status: int = 400
    peering_wrong_state_status: int = 409
    peering_list_matches_both_sides: bool = True
    duplicate_route_status: int = 400
    routes_may_overlap_subnets: bool = False
    list_tables_show_routes: bool = False
    # DCS: whether lists say `no_password_access` as text, like their page's table, or as a boolean, like its sample.
    dcs_list_as_text: bool = False
    # EIP: whether v3 is offered; None is everywhere but in eu-nl.
    eip_v3_offered: bool | None = None
    eip_bound_status: Literal["ACTIVE", "ELB"] = "ACTIVE"
    # IAM.
    token_hours: float = 24.0
    # Seconds until a new agency, or a role just granted to one, works; before, a function gets no token.
    agency_delay: float = 0.0
    # Whether a policy may have statements that are limited by resources or conditions, which then do not count.
    policy_limits: Literal["refused", "ignored"] = "refused"
    # Which types a catalog lists; all that are known where this is empty.
    catalog_types: tuple[str, ...] = ()
    # FunctionGraph: `functions` by globs over function names; how many run at once; how long the gateway waits for
    # a function, and the first pause before a retry, which doubles (seconds).
    events: Events = Events()
    functions: dict[str, FunctionTrouble] = {}
    function_concurrency: int = Field(default=100, ge=0)
    gateway_seconds: float = Field(default=90.0, gt=0)
    async_retry_seconds: float = Field(default=1.0, ge=0)
    # SMN: how messages arrive at HTTP endpoints, and the pause before an endpoint is tried again (seconds).
    pushes: Events = Events()
    push_retry_seconds: float = Field(default=60.0, ge=0)
    # CTS: how traces show bodies, and whether the results of jobs name who asked for them.
    trace_bodies: Literal["object", "text"] = "object"
    job_traces_name_user: bool = True
