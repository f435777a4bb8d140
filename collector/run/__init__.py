"""The only room that touches a network: it runs the collector script on hosts through Ansible."""
