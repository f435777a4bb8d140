"""What arrives from hosts: the folder of a run, streams, how each host ended."""
