"""`hostpledge mesh`: the nodes that collect for this centre, and the worker that they run."""
