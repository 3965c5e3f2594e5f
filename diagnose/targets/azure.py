"""Finds a service in Azure, where something on this machine says that it may be there."""

from __future__ import annotations

from diagnose.collectors import Limits
from diagnose.collectors.azure.place import Place, place_of
from diagnose.targets import Found, Unsearched, Wanted

PLACE = "azure"


class AzureFinder:
    """Looks in the workspaces and container groups of one subscription, where one is named or somebody is signed in."""

    places: tuple[str, ...] = (PLACE, "aci", "endpoint")

    def expected(self, wanted: Wanted) -> bool:
        """Options, environment, config.json or the Azure CLI's defaults name a workspace, group or subscription.

        A mere login is no reason to ask: whoever looks for a service in Docker or Kubernetes never waits for Azure.
        """
        return _place(wanted).strength == "named"

    def find(self, wanted: Wanted, limits: Limits) -> Found:
        """Where the service is. Without any sign of Azure on this machine, no call is made at all."""
        place = _place(wanted)
        if place.strength == "none" or not place.subscription:
            remedy = "; ".join((place.how_to_give(("subscription", "resource group", "workspace")), *place.notes))
            gap = Unsearched(place=PLACE, why="no subscription is named", remedy=remedy)
            return Found(place=PLACE, reachable=False, unsearched=(gap,))
        # The search brings a client and its collectors, which nobody without Azure waits for.
        from diagnose.targets.azure_search import found

        return found(wanted, place, limits)


def _place(wanted: Wanted) -> Place:
    return place_of(wanted.subscription, wanted.resource_group, wanted.workspace)
