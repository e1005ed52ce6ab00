"""The services of the platform, as the local stack runs them: a new one is one more line."""

from dataclasses import dataclass

from platform_cli.errors import StackError


@dataclass(frozen=True)
class Service:
    """One domain's service. Its name is also its task queue and, in capitals, the prefix of its variables."""

    name: str
    module: str
    internal_port: int
    """The default port of instance 1; instance n has the one n - 1 higher."""


SERVICES = (
    Service("user", "user_service", 9464),
    Service("payment", "payment_service", 9474),
    Service("listing", "listing_service", 9484),
    Service("analytics", "analytics_service", 9494),
)

# The defaults of two services are ten ports apart.
MAXIMUM_INSTANCES = 10


def service_named(name: str) -> Service:
    """Return the service of that name.

    Raises:
        StackError: there is none.
    """
    for service in SERVICES:
        if service.name == name:
            return service
    raise StackError(f"there is no service {name!r}: the services are {', '.join(each.name for each in SERVICES)}")


def parse_workers(texts: list[str]) -> dict[str, int]:
    """Return instances by service from texts like `user=2` or `user=2,analytics=3`.

    Raises:
        StackError: a text is not of that form, names no service, or asks for too many.
    """
    counts: dict[str, int] = {}
    for text in (part.strip() for joined in texts for part in joined.split(",")):
        name, _, count = text.partition("=")
        if not count.isdecimal():
            raise StackError(f"{text!r} is not SERVICE=NUMBER, for example user=2")
        if int(count) > MAXIMUM_INSTANCES:
            raise StackError(
                f"{text!r}: at most {MAXIMUM_INSTANCES} instances, whose ports would meet another service's"
            )
        counts[service_named(name).name] = int(count)
    return counts
