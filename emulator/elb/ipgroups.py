"""The rules of IP groups."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.core.resources import owned
from emulator.elb.bodies import EntryBody, IpGroupCreate, IpGroupUpdate
from emulator.elb.errors import conflict, invalid
from emulator.elb.models import IpEntry, IpGroup
from emulator.elb.rules import Rules


class IpGroups(Rules):
    """Create, change and delete IP groups."""

    def get(self, project_id: str, group_id: str) -> IpGroup:
        """An IP group of the project.

        Raises:
            ApiError: 404.
        """
        return self.find(self.state.ipgroups, IpGroup, project_id, group_id)

    def create(self, project_id: str, body: IpGroupCreate) -> IpGroup:
        """A new IP group.

        Raises:
            ApiError: 400 or 409; nothing has changed.
        """
        self.require_quota("ipgroup", len(owned(self.state.ipgroups, project_id)))
        entries = self._merged((), body.ip_list)
        fields = {"name": body.name, "description": body.description, "ip_list": entries}
        return self._account.add(self.state.ipgroups, IpGroup, "elb", project_id, **fields)

    def update(self, group: IpGroup, body: IpGroupUpdate) -> None:
        """Change the texts or replace all entries.

        Raises:
            ApiError: 400 or 409; nothing has changed.
        """
        given = body.given()
        if "ip_list" in given:
            given["ip_list"] = self._merged((), body.ip_list)
        for name, value in given.items():
            setattr(group, name, value)
        self._account.touch(group)

    def merge(self, group: IpGroup, entries: list[EntryBody]) -> None:
        """Add entries, or change those with the same address.

        Raises:
            ApiError: 409; nothing has changed.
        """
        group.ip_list = self._merged(group.ip_list, entries)
        self._account.touch(group)

    def take_out(self, group: IpGroup, addresses: Iterable[str]) -> None:
        """Remove entries by their address.

        Raises:
            ApiError: 400, if there is no such entry; nothing has changed.
        """
        gone = set(addresses)
        for address in gone - {entry.ip for entry in group.ip_list}:
            raise invalid("ip_list", f"{address} is not in the group")
        group.ip_list = [entry for entry in group.ip_list if entry.ip not in gone]
        self._account.touch(group)

    def delete(self, group: IpGroup) -> None:
        """Delete a group that no listener uses.

        Raises:
            ApiError: 409.
        """
        for listener in self.tree().users_of_group[group.id]:
            raise conflict(f"ipgroup {group.id} is used by listener {listener.id}")
        del self.state.ipgroups[group.id]

    def _merged(self, before: Iterable[IpEntry], entries: list[EntryBody]) -> list[IpEntry]:
        merged = {entry.ip: entry for entry in before} | {entry.ip: entry.entry() for entry in entries}
        self.require_quota("ipgroup_max_length", len(merged) - 1)
        return list(merged.values())
