"""The report of a run: one page to look at and to share, and its charts as files."""

from loadgen.report.material import Material, material
from loadgen.report.run_page import PAGE, write_report

__all__ = ["PAGE", "Material", "material", "write_report"]
