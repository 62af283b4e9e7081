"""Public addresses and bandwidths: what they are and the rules that ELB relies on, too."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from emulator.core.resources import Resource, Strict, Table, find, owned
from emulator.core.state import State
from emulator.core.text import AddressIfAny
from emulator.eip.errors import EipRefusal

if TYPE_CHECKING:
    from emulator.account import Account
    from emulator.world import World

POOLS = ("5_bgp", "5_mailbgp")
Binding = Literal["ELB", "PORT", "NATGW", "VPN"]


class BandwidthSpec(Strict):
    """What a new EIP's bandwidth is to be; `id` names a shared one."""

    share_type: Literal["PER", "WHOLE"]
    name: str | None = Field(default=None, min_length=1, max_length=64)
    size: int | None = None
    charge_mode: str | None = None
    id: str | None = None


class Bandwidth(Resource):
    """A bandwidth in Mbit/s: of one EIP (PER), or shared (WHOLE)."""

    kind: ClassVar[str] = "bandwidth"

    size: int = 5
    share_type: Literal["PER", "WHOLE"] = "PER"
    charge_mode: str = "traffic"


class PublicIp(Resource):
    """An EIP; `bound_to` says to what kind of thing, `instance_id` to which."""

    kind: ClassVar[str] = "EIP"
    id_from: ClassVar[tuple[str, ...]] = ("name", "address")

    address: AddressIfAny = ""
    pool: str = "5_bgp"
    bandwidth_id: str
    bound_to: Binding | None = None
    instance_id: str | None = None
    private_address: str | None = None
    tags: dict[str, str] = {}


class EipState(State):
    """Public addresses of the account."""

    bandwidths: Table[Bandwidth] = {}
    publicips: Table[PublicIp] = {}

    def resolve(self, world: World) -> None:  # noqa: ARG002  # what an EIP is bound to, that service checks
        """Turn names into ids, refuse what cannot exist."""
        for eip in self.publicips.values():
            where = f"eip.publicips[{eip.name or eip.address}]"
            eip.bandwidth_id = find(self.bandwidths, eip.bandwidth_id, f"{where}.bandwidth_id").id
            if not eip.address:
                raise ValueError(f"{where}.address: a public address is needed")
            if any(other.address == eip.address for other in self.publicips.values() if other is not eip):
                raise ValueError(f"{where}.address: {eip.address} is used twice")


class EipBackend:
    """Gives out, binds and takes back public addresses."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def state(self) -> EipState:
        """The tables."""
        return self._account.world.eip

    def get(self, project_id: str, eip_id: str) -> PublicIp | None:
        """An EIP of the project."""
        eip = self.state.publicips.get(eip_id)
        return eip if eip and eip.project_id == project_id else None

    def of_instance(self, instance_id: str) -> PublicIp | None:
        """The EIP that is bound to a thing."""
        return next((eip for eip in self.state.publicips.values() if eip.instance_id == instance_id), None)

    def create(
        self, project_id: str, pool: str, spec: BandwidthSpec, *, name: str = "", address: str | None = None
    ) -> PublicIp:
        """A new EIP with its bandwidth.

        Raises:
            EipRefusal: pool, bandwidth, quota or address stand in the way; nothing has changed.
        """
        self._check(project_id, pool, spec)
        given = self._address(address)
        bandwidth = self._bandwidth(project_id, spec)
        eip = self._account.add(
            self.state.publicips,
            PublicIp,
            "eip",
            project_id,
            name=name,
            address=given,
            pool=pool,
            bandwidth_id=bandwidth.id,
        )
        self._account.lag(eip, "PENDING_CREATE", self._account.dials.eip_create)
        return eip

    def bind(self, eip: PublicIp, kind: Binding, instance_id: str, private_address: str | None = None) -> None:
        """Bind an EIP to a thing.

        Raises:
            EipRefusal: one of the two is bound already.
        """
        if eip.instance_id is not None:
            raise EipRefusal(409, "VPC.0510", "EIP has already been bound to a port.")
        if kind == "ELB" and self.of_instance(instance_id):
            raise EipRefusal(409, "VPC.0511", "The port has already been bound with an EIP.")
        eip.bound_to, eip.instance_id, eip.private_address = kind, instance_id, private_address
        eip.pending = None
        self._account.touch(eip)

    def unbind(self, eip: PublicIp) -> None:
        """Let an EIP be bound to nothing; it stays."""
        eip.bound_to = eip.instance_id = eip.private_address = None
        self._account.touch(eip)

    def release(self, eip: PublicIp) -> None:
        """Give an EIP back, together with the bandwidth that was its own.

        Raises:
            EipRefusal: it is bound; for a load balancer that is a 500 (VPC.0516).
        """
        if eip.bound_to == "ELB":
            raise EipRefusal(500, "VPC.0516", "EIP is being used by ELB.")
        if eip.bound_to:
            raise EipRefusal(409, "VPC.0517", "EIP is bound to a port. Unbind it first.")
        del self.state.publicips[eip.id]
        if self.state.bandwidths[eip.bandwidth_id].share_type == "PER":
            del self.state.bandwidths[eip.bandwidth_id]

    def share(self, shared: Bandwidth, eips: list[PublicIp]) -> None:
        """Let EIPs use a shared bandwidth; those that were their own go.

        Raises:
            EipRefusal: one of them shares another; nothing has changed.
        """
        own = self.state.bandwidths
        if any(own[eip.bandwidth_id].share_type == "WHOLE" and eip.bandwidth_id != shared.id for eip in eips):
            raise EipRefusal(400, "VPC.0301", "The EIP is in another shared bandwidth.")
        users = {eip.id for eip in self.state.publicips.values() if eip.bandwidth_id == shared.id}
        if len(users | {eip.id for eip in eips}) > self._account.vpc.state.quotas["shareBandwidthIP"]:
            raise EipRefusal(400, "VPC.0301", "The number of EIPs in the shared bandwidth exceeds the quota.")
        for eip in eips:
            if own[eip.bandwidth_id].share_type == "PER":
                del own[eip.bandwidth_id]
            eip.bandwidth_id = shared.id
            self._account.touch(eip)

    def unshare(self, shared: Bandwidth, eips: list[PublicIp], size: int) -> None:
        """Give EIPs a bandwidth of their own again, each of this size in Mbit/s.

        Raises:
            EipRefusal: one of them is not in the shared bandwidth; nothing has changed.
        """
        if any(eip.bandwidth_id != shared.id for eip in eips):
            raise EipRefusal(404, "VPC.0306", "The EIP is not in the shared bandwidth.")
        for eip in eips:
            spec = BandwidthSpec(share_type="PER", name=shared.name, size=size)
            eip.bandwidth_id = self._bandwidth(eip.project_id, spec).id
            self._account.touch(eip)

    def status(self, eip: PublicIp) -> str:
        """The status that reads show."""
        if eip.pending:
            return eip.pending.shows
        if eip.bound_to == "ELB":
            return self._account.dials.eip_bound_status
        return "ACTIVE" if eip.bound_to else "DOWN"

    def _check(self, project_id: str, pool: str, spec: BandwidthSpec) -> None:
        if pool not in POOLS:
            raise EipRefusal(400, "VPC.0501", "PublicIp type is invalid.")
        if spec.share_type == "WHOLE":
            shared = self.state.bandwidths.get(spec.id or "")
            if shared is None or shared.project_id != project_id or shared.share_type != "WHOLE":
                raise EipRefusal(404, "VPC.0306", "EIP bandwidth with the ID not found.")
        elif spec.size is None or not 1 <= spec.size <= 2000:
            raise EipRefusal(400, "VPC.0301", "Bandwidth size is invalid.")
        if spec.charge_mode not in (None, "traffic"):
            raise EipRefusal(400, "VPC.0301", "Bandwidth charge_mode is invalid.")
        quota = self._account.vpc.state.quotas["publicIp"]
        if 0 <= quota <= len(owned(self.state.publicips, project_id)):
            raise EipRefusal(409, "VPC.0521", "Quota exceeded for resources: ['floatingip'].")

    def _address(self, wanted: str | None) -> str:
        used = {eip.address for eip in self.state.publicips.values()}
        network = self._account.data_plane.public_network
        if network.num_addresses == 1:
            return str(network[0])
        if wanted is not None and IPv4Address(wanted) not in network:
            raise EipRefusal(400, "VPC.0501", f"The IP address is not in {network}.")
        if wanted in used:
            raise EipRefusal(409, "VPC.0522", "The IP address is in use.")
        free = (str(address) for address in network.hosts() if str(address) not in used)
        found = wanted or next(free, None)
        if found is None:
            raise EipRefusal(409, "VPC.0532", "No more IP addresses available on network.")
        return found

    def _bandwidth(self, project_id: str, spec: BandwidthSpec) -> Bandwidth:
        if spec.share_type == "WHOLE":
            return self.state.bandwidths[spec.id or ""]
        return self._account.add(
            self.state.bandwidths, Bandwidth, "eip", project_id, name=spec.name or "", size=spec.size
        )
