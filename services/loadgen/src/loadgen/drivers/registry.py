"""The drivers by name."""

from loadgen.drivers.driver import Driver
from loadgen.drivers.hey import Hey
from loadgen.drivers.locust import Locust
from loadgen.drivers.own import Own

DRIVERS: dict[str, Driver] = {driver.name: driver for driver in (Own(), Locust(), Hey())}
