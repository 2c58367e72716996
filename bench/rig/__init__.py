"""What the bulk benchmark stands on: a server, lists, measured processes, clients, figures."""
