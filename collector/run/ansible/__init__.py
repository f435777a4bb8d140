"""Through Ansible: plays, events, inventories, and what our plugins are made of."""
