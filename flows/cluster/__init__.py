"""Work on a Dask or Ray cluster. Both are extras: imported only when they are asked for."""
