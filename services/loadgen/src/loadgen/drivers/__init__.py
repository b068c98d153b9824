"""Drivers: the programs that make the load, one small module each."""

from loadgen.drivers.base import Driver, LoadPlan
from loadgen.drivers.hey import Hey
from loadgen.drivers.locust import Locust

__all__ = ["DRIVERS", "Driver", "LoadPlan"]

DRIVERS: dict[str, Driver] = {driver.name: driver for driver in (Locust(), Hey())}
