"""What runs, when and where: Prefect flows, readers, the warehouse, the command line."""

__version__ = "0.1.0"
